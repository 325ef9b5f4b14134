"""The pipeline: source, build, and for each environment an approval where one is asked for, and the deployment."""

from __future__ import annotations

from typing import Any

from homeport.manifest.model import Manifest
from homeport.stack import before, scaling, source
from homeport.stack.cloudformation import Resources, Value, allow, arn, attribute, ref, resource, role, sub
from homeport.stack.service import prefix

_SEVERITIES = {
    "critical": ["CRITICAL"],
    "high": ["CRITICAL", "HIGH"],
    "medium": ["CRITICAL", "HIGH", "MEDIUM"],
}


_RESTING = (
    "[ $(aws application-autoscaling describe-scalable-targets --service-namespace ecs"
    " --resource-ids service/${{Cluster}}/{service} --query 'ScalableTargets[0].MaxCapacity'"
    " --output text) != 0 ] || COUNT=resting"
)
"""Outside its hours a service has no tasks, and a release starts none."""
_WAIT = (
    'SINCE=$(($(date +%s) - 300)); while [ "$COUNT" = 0 ] && DEPLOYMENT=$(aws ecs list-service-deployments'
    " --cluster ${{Cluster}} --service {service} --created-at after=$SINCE"
    " --query 'sort_by(serviceDeployments,&createdAt)[-1].[status,statusReason]' --output text)"
    ' && case "$DEPLOYMENT" in None*|PENDING*|IN_PROGRESS*);; *) false;; esac; do sleep 2; done'
)
_JUDGE = '[ "$COUNT" != 0 ] || { echo "$DEPLOYMENT"; [ "$(echo "$DEPLOYMENT" | cut -f 1)" = SUCCESSFUL ]; }'
"""`aws ecs wait services-stable` looks each 15 seconds only, and takes tasks that run for tasks that serve. In which
order deployments are listed, AWS does not say.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServiceDeployments.html"""


def resources(manifest: Manifest) -> Resources:
    """The pipeline, its role, and the topic that tells people."""
    found: Resources = {
        "PipelineLogs": resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": sub("/aws/codepipeline/${AWS::StackName}"),
                "RetentionInDays": manifest.cost.log_days,
            },
        ),
        "PipelineRole": role(
            "codepipeline",
            _statements(manifest),
            "the pipeline: its source, its build, its services, and no others",
        ),
        "Pipeline": resource(
            "AWS::CodePipeline::Pipeline",
            {
                "Name": ref("AWS::StackName"),
                "PipelineType": "V2",
                "ExecutionMode": "SUPERSEDED",
                "RoleArn": attribute("PipelineRole", "Arn"),
                "ArtifactStore": {"Type": "S3", "Location": ref("Artifacts")},
                "Stages": _stages(manifest),
                "Triggers": source.triggers(manifest),
            },
            DependsOn=["ArtifactsPolicy", "PipelineLogs"],
        ),
    }
    if manifest.notify.email:
        found |= _notifications(manifest.notify.email)
    return found


def _stages(manifest: Manifest) -> list[dict[str, Any]]:
    build = _action("Build", "CodeBuild", "Build", {"ProjectName": ref("Build")}, "Source", "Image")
    stages = [
        {"Name": "Source", "Actions": [source.action(manifest)]},
        {"Name": "Build", "Actions": [build, *_scan(manifest)]},
    ]
    for name, environment in manifest.environments.items():
        actions: list[dict[str, Any]] = []
        if environment.approval:
            actions.append(_approval(manifest, name))
        if manifest.deploy.before:
            actions.append(_commands("Before", before.commands(manifest, name)))
        own = prefix(manifest, name)
        where = {
            "ClusterName": ref("Cluster"),
            "ServiceName": attribute(f"{own}Service", "Name"),
            "FileName": "imagedefinitions.json",
        }
        actions.append(_action("Deploy", "ECS", "Deploy", where, "Image"))
        actions.append(_start(manifest, name))
        in_order = [{**each, "RunOrder": at} for at, each in enumerate(actions, 1)]
        stages.append({"Name": f"Deploy-{name}", "Actions": in_order})
    return stages


def _action(
    category: str,
    provider: str,
    name: str,
    configuration: dict[str, Value],
    takes: str,
    makes: str | None = None,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Name": name,
        "ActionTypeId": {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"},
        "Configuration": configuration,
        "InputArtifacts": [{"Name": takes}],
        "RunOrder": 1,
    }
    return {**found, "OutputArtifacts": [{"Name": makes}]} if makes else found


def _approval(manifest: Manifest, name: str) -> dict[str, Any]:
    configuration: dict[str, Value] = {"CustomData": f"Let this version of {manifest.app} into {name}?"}
    if manifest.notify.email:
        configuration["NotificationArn"] = ref("Notifications")
    return {
        "Name": "Approve",
        "ActionTypeId": {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"},
        "Configuration": configuration,
        "RunOrder": 1,
    }


def _commands(name: str, commands: list[Value]) -> dict[str, Any]:
    return {
        "Name": name,
        "ActionTypeId": {"Category": "Compute", "Owner": "AWS", "Provider": "Commands", "Version": "1"},
        "Commands": commands,
        "InputArtifacts": [{"Name": "Image"}],
    }


def _scan(manifest: Manifest) -> list[dict[str, Any]]:
    """Stop a release whose image has findings that are too severe."""
    worst = _SEVERITIES.get(manifest.image.stop_on)
    if worst is None:
        return []
    counts = ", ".join(f"imageScanFindings.findingSeverityCounts.{severity} || `0`" for severity in worst)
    which = f"--repository-name {manifest.app} --image-id imageTag=$TAG"
    commands = [
        "TAG=$(jq -r '.[0].imageUri' imagedefinitions.json | sed 's/.*://')",
        f"aws ecr wait image-scan-complete {which} || {{ aws ecr describe-image-scan-findings {which}"
        " --query imageScanStatus.description --output text; exit 1; }",
        f"FOUND=$(aws ecr describe-image-scan-findings {which} --no-paginate --query 'sum([{counts}])' --output text)",
        f'echo "findings that are {manifest.image.stop_on} or worse: $FOUND"',
        'test "$FOUND" = 0',
    ]
    return [{**_commands("Scan", commands), "RunOrder": 2}]


def _start(manifest: Manifest, name: str) -> dict[str, Any]:
    """A service is created with no tasks, as there is no image yet: the first release starts it, by a deployment of
    its own, so that here too a version that does not come up fails."""
    least, _ = scaling.bounds(manifest, name)
    service = f"${{{prefix(manifest, name)}Service.Name}}"
    which = f"--cluster ${{Cluster}} --services {service}"
    update = f"--cluster ${{Cluster}} --service {service} --desired-count {least} --force-new-deployment"
    commands = [
        sub(f"COUNT=$(aws ecs describe-services {which} --query 'services[0].desiredCount' --output text)"),
        *([sub(_RESTING.format(service=service))] if scaling.sleeps(manifest, name) else []),
        sub(f'[ "$COUNT" != 0 ] || aws ecs update-service {update} --query service.status'),
        sub(_WAIT.format(service=service)),
        _JUDGE,
        *([scaling.resume(manifest, name)] if scaling.schedule(manifest, name) else []),
    ]
    return _commands("Start", commands)


def _statements(manifest: Manifest) -> dict[str, list[dict[str, Any]]]:
    services = [ref(f"{prefix(manifest, name)}Service") for name in manifest.environments]
    revisions = [
        arn("ecs", f"task-definition/${{AWS::StackName}}-{name}:*") for name in manifest.environments
    ]
    logs = arn("logs", "log-group:/aws/codepipeline/${AWS::StackName}")
    streams = arn("logs", "log-group:/aws/codepipeline/${AWS::StackName}:*")
    found = {
        "artifacts": [
            allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], sub("${Artifacts.Arn}/*")),
            allow(["s3:GetBucketLocation", "s3:GetBucketVersioning"], attribute("Artifacts", "Arn")),
        ],
        "source": source.statements(manifest),
        "build": [
            allow(
                ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
                attribute("Build", "Arn"),
            )
        ],
        "deploy": [
            allow(["ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:UpdateService"], services),
            allow(["ecs:DescribeTasks"], arn("ecs", "task/${Cluster}/*")),
            allow(["ecs:ListTasks"], "*", {"ArnEquals": {"ecs:cluster": attribute("Cluster", "Arn")}}),
            allow(["ecs:DescribeTaskDefinition"], "*"),
            allow(["ecs:RegisterTaskDefinition"], revisions),
            allow(
                ["ecs:TagResource"],
                revisions,
                {"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}},
            ),
            allow(
                ["iam:PassRole"],
                [attribute("ExecutionRole", "Arn"), attribute("TaskRole", "Arn")],
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        ],
        "commands": [
            allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [logs, streams])
        ],
    }
    if manifest.deploy.before:
        found["before"] = before.statements(manifest, revisions)
    if any(scaling.schedule(manifest, name) for name in manifest.environments):
        found["hours"] = _hours(manifest)
    if manifest.image.stop_on != "never":
        found["scan"] = [allow(["ecr:DescribeImageScanFindings"], attribute("Repository", "Arn"))]
    if manifest.notify.email and any(each.approval for each in manifest.environments.values()):
        found["notify"] = [allow(["sns:Publish"], ref("Notifications"))]
    return found


def _hours(manifest: Manifest) -> list[dict[str, Any]]:
    """The ids of scalable targets are AWS's to choose: the conditions name what they scale.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html"""
    services = {
        "application-autoscaling:service-namespace": "ecs",
        "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
    }
    targets = arn("application-autoscaling", "scalable-target/*")
    found = [allow(["application-autoscaling:RegisterScalableTarget"], targets, {"StringEquals": services})]
    if any(scaling.sleeps(manifest, name) for name in manifest.environments):
        found.append(allow(["application-autoscaling:DescribeScalableTargets"], "*"))
    return found


def _notifications(email: str) -> Resources:
    may: dict[str, Any] = {"Effect": "Allow", "Action": "sns:Publish", "Resource": ref("Notifications")}
    rules = {**may, "Principal": {"Service": "events.amazonaws.com"}}
    alarms = {
        **may,
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    return {
        "Notifications": resource(
            "AWS::SNS::Topic",
            {
                "DisplayName": sub("${AWS::StackName}"),
                "Subscription": [{"Protocol": "email", "Endpoint": email}],
            },
        ),
        "NotificationsPolicy": resource(
            "AWS::SNS::TopicPolicy",
            {
                "Topics": [ref("Notifications")],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [rules, alarms]},
            },
        ),
        "FailureRule": resource(
            "AWS::Events::Rule",
            {
                "Description": "tell people when a release fails",
                "EventPattern": {
                    "source": ["aws.codepipeline"],
                    "detail-type": ["CodePipeline Pipeline Execution State Change"],
                    "detail": {"pipeline": [ref("Pipeline")], "state": ["FAILED"]},
                },
                "Targets": [{"Id": "people", "Arn": ref("Notifications")}],
            },
        ),
    }
