"""What the template does without being asked, for every strategy in every network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.manifest.reader import parse
from homeport.stack.template import synthesize
from tests.stack.documents import statements, table
from tests.stack.manifests import MATRIX, PATTERNS

Resources = dict[str, dict[str, Any]]
MANIFESTS = {**PATTERNS, **MATRIX}


@pytest.fixture(params=MANIFESTS)
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return synthesize(parse(MANIFESTS[request.param]))


@pytest.fixture
def resources(template: dict[str, Any]) -> Resources:
    return template["Resources"]


def of(resources: Resources, kind: str) -> Resources:
    """The properties of all resources of a type, by logical id."""
    return {name: body["Properties"] for name, body in resources.items() if body["Type"] == kind}


def test_roles_are_granted_named_actions_on_named_resources(template: dict[str, Any]) -> None:
    anywhere = [(role, set(actions)) for role, actions, _ in table("Statements about any resource")]
    for role, statement in statements(template):
        if role == "TaskRole":
            continue  # it has what the manifest says, and nothing else
        assert not any("*" in action for action in statement["Action"])
        if statement["Resource"] == "*":
            assert any(
                set(statement["Action"]) <= actions for named, actions in anywhere if named in (role, "all")
            ), statement


def test_the_application_may_do_what_the_manifest_says_only() -> None:
    nothing = synthesize(parse("app: shop"))["Resources"]["TaskRole"]["Properties"]
    something = synthesize(parse(PATTERNS["canary"]))["Resources"]["TaskRole"]["Properties"]

    assert "Policies" not in nothing and "ManagedPolicyArns" not in nothing
    [policy] = something["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["dynamodb:GetItem"]


def test_tasks_start_with_the_named_secrets_only() -> None:
    plain = [each for role, each in statements(synthesize(parse("app: shop"))) if role == "ExecutionRole"]
    with_secret = synthesize(parse(PATTERNS["canary"]))
    named = [
        each for role, each in statements(with_secret) if "secretsmanager:GetSecretValue" in each["Action"]
    ]

    assert not any("secret" in action for each in plain for action in each["Action"])
    assert [each["Resource"] for each in named] == [
        ["arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf"]
    ]


def test_roles_trust_one_service_and_this_account(resources: Resources) -> None:
    for name, role in of(resources, "AWS::IAM::Role").items():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert list(trust["Principal"]) == ["Service"]
        if not name.endswith("ShiftRole"):
            assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_pipeline_passes_its_two_roles_to_tasks_only(template: dict[str, Any]) -> None:
    [passing] = [each for _, each in statements(template) if "iam:PassRole" in each["Action"]]

    assert passing["Resource"] == [
        {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
        {"Fn::GetAtt": ["TaskRole", "Arn"]},
    ]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_images_expire_and_are_scanned(resources: Resources) -> None:
    [repository] = of(resources, "AWS::ECR::Repository").values()

    [rule] = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["countType"] == "imageCountMoreThan"
    assert synthesize(parse("app: x1y"))["Resources"]["Repository"]["Properties"][
        "ImageScanningConfiguration"
    ] == {"ScanOnPush": True}


def test_artifacts_are_encrypted_private_versioned_expire_and_go_by_tls(resources: Resources) -> None:
    [bucket] = of(resources, "AWS::S3::Bucket").values()
    [policy] = of(resources, "AWS::S3::BucketPolicy").values()

    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    [lifecycle] = bucket["LifecycleConfiguration"]["Rules"]
    assert lifecycle["ExpirationInDays"] and lifecycle["NoncurrentVersionExpiration"]
    [deny] = policy["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_only_the_load_balancer_is_open_to_the_world(resources: Resources) -> None:
    for name, group in of(resources, "AWS::EC2::SecurityGroup").items():
        opened = [
            rule["FromPort"]
            for rule in group.get("SecurityGroupIngress", [])
            if rule.get("CidrIp") == "0.0.0.0/0"
        ]
        secure = any(
            each["Protocol"] == "HTTPS"
            for each in of(resources, "AWS::ElasticLoadBalancingV2::Listener").values()
        )
        expected = [80, 443] if secure else [80]
        assert opened == (expected if name.endswith("LoadBalancerSecurityGroup") else []), name


def test_tasks_are_in_private_subnets(resources: Resources) -> None:
    for service in of(resources, "AWS::ECS::Service").values():
        network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
        assert all("ublic" not in str(subnet) for subnet in network["Subnets"])


def test_builds_are_in_private_subnets() -> None:
    build = synthesize(parse("app: shop"))["Resources"]["Build"]["Properties"]

    assert build["VpcConfig"]["Subnets"] == [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]


def test_all_logs_have_a_retention(resources: Resources) -> None:
    groups = of(resources, "AWS::Logs::LogGroup")

    assert set(groups) == {"BuildLogs", "ServiceLogs", "PipelineLogs"}
    assert all(group["RetentionInDays"] for group in groups.values())


def test_alarms_take_a_deployment_back() -> None:
    resources = synthesize(parse("app: shop\nnotify: {email: a@example.com}"))["Resources"]

    configuration = resources["Service"]["Properties"]["DeploymentConfiguration"]
    assert configuration["Alarms"] == {
        "AlarmNames": [{"Ref": "ErrorAlarm"}],
        "Enable": True,
        "Rollback": True,
    }
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert resources["ErrorAlarm"]["Properties"]["AlarmActions"] == [{"Ref": "Notifications"}]


def test_a_push_starts_the_pipeline_and_nothing_polls() -> None:
    resources = synthesize(parse("app: shop"))["Resources"]

    assert resources["PushRule"]["Properties"]["EventPattern"]["detail"]["referenceName"] == ["main"]
    [source] = resources["Pipeline"]["Properties"]["Stages"][0]["Actions"]
    assert source["Configuration"]["PollForSourceChanges"] is False


def test_a_certificate_makes_it_https() -> None:
    resources = synthesize(parse(PATTERNS["canary"]))["Resources"]

    listener = resources["ProductionListener"]["Properties"]
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    redirect = resources["ProductionRedirectListener"]["Properties"]["DefaultActions"][0]
    assert redirect["RedirectConfig"]["StatusCode"] == "HTTP_301"


def test_everything_is_described_and_of_aws_own_types(template: dict[str, Any]) -> None:
    for name, body in template["Resources"].items():
        assert body["Type"].startswith("AWS::")
        if body["Type"] in ("AWS::IAM::Role", "AWS::Events::Rule", "AWS::CodeBuild::Project"):
            assert body["Properties"]["Description"], name
        if body["Type"] == "AWS::CloudWatch::Alarm":
            assert body["Properties"]["AlarmDescription"], name
        if body["Type"] == "AWS::EC2::SecurityGroup":
            assert body["Properties"]["GroupDescription"], name
    assert all(each["Description"] for each in template["Outputs"].values())
    assert all(each["Description"] for each in template["Parameters"].values())


def test_requests_are_counted_in_whichever_target_group_has_the_traffic() -> None:
    scaled = "app: shop\nservice: {autoscaling: {requests: 500}}\n"
    rolling = synthesize(parse(scaled))["Resources"]
    shifting = synthesize(parse(f"{scaled}deploy: {{strategy: blue-green}}"))["Resources"]

    def followed(resources: dict[str, Any]) -> dict[str, Any]:
        return resources["ScaleRequests"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]

    predefined = followed(rolling)["PredefinedMetricSpecification"]
    assert predefined["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    blue, green, total = followed(shifting)["CustomizedMetricSpecification"]["Metrics"]
    groups = [each["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for each in (blue, green)]
    assert groups == [
        {"Fn::GetAtt": [name, "TargetGroupFullName"]} for name in ("TargetGroup", "AlternateTargetGroup")
    ]
    assert total == {"Id": "requests", "Expression": "FILL(blue, 0) + FILL(green, 0)", "ReturnData": True}


def test_outside_its_hours_an_environment_rests() -> None:
    manifest = parse(
        "app: shop\nenvironments: {staging: {count: 1}, production: {}}\n"
        "cost: {schedule: {days: MON-THU, start: '07:30', stop: 20:00, environments: [staging]}}"
    )
    template = synthesize(manifest)
    resources = template["Resources"]

    assert "ProductionScalableTarget" not in resources
    suspended = resources["StagingScalableTarget"]["Properties"]["SuspendedState"]
    assert suspended == {"ScheduledScalingSuspended": {"Fn::If": ["StagingReleased", False, True]}}
    assert list(template["Conditions"]) == ["StagingReleased"]
    begin, end = resources["StagingScalableTarget"]["Properties"]["ScheduledActions"]
    assert begin["Schedule"] == "cron(30 7 ? * MON-THU *)"
    assert begin["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 1}
    assert end["Schedule"] == "cron(0 20 ? * MON-THU *)"
    assert end["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}


def test_services_of_one_repository_build_in_their_folders() -> None:
    first = synthesize(parse("app: api\nsource: {repository: shop, folder: api}"))["Resources"]
    second = synthesize(
        parse(
            "app: web\nsource: {repository: shop, folder: services/web, existing: true}\n"
            "build: {test: [npm test]}"
        )
    )
    by_connection = synthesize(
        parse("app: web\nsource: {provider: connection, repository: o/shop, folder: services/web}")
    )["Resources"]

    assert first["SourceRepository"]["Properties"]["RepositoryName"] == "shop"
    assert "SourceRepository" not in second["Resources"]
    assert "CloneUrl" not in second["Outputs"]
    spec = second["Resources"]["Build"]["Properties"]["Source"]["BuildSpec"]
    assert "(cd services/web && npm test)" in spec
    assert "docker build --file services/web/Dockerfile --tag $REPOSITORY_URI:$IMAGE_TAG services/web" in spec
    [trigger] = by_connection["Pipeline"]["Properties"]["Triggers"]
    assert trigger["GitConfiguration"]["Push"][0]["FilePaths"] == {"Includes": ["services/web/**"]}
