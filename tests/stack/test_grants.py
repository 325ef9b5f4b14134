"""Least privilege, proven: a delivery with everything on, under IAM, uses each grant of the template or AWS's own pages
demand it.

The audit trail tells which role asked for what. No action is granted to a role twice, so that a call that was made
would be denied without its grant; IAM's simulator confirms it of each.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from homeport.cli import pipelines, stacks
from homeport.cli.address import listener_port
from homeport.manifest.reader import parse
from homeport.pytest_plugin import RunningEngine
from homeport.stack.template import render, synthesize
from tests.ecr.images import advisory
from tests.stack.documents import grants, table
from tests.waiting import until

MANIFEST = """
app: shop
build: {{secrets: &secrets {{KEY: "{secret}", LEVEL: "{parameter}"}}}}
image: {{stop-on: critical}}
service: {{count: 1, stop-timeout: 2, secrets: *secrets}}
environments: {{production: {{approval: true}}}}
deploy: {{before: ["true"]}}
cost: {{schedule: {{}}}}
notify: {{email: team@example.com}}
"""
CONTEXT = {
    "iam:PassedToService": "ecs-tasks.amazonaws.com",
    "application-autoscaling:service-namespace": "ecs",
    "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
}
"""What the calls say that conditions of the grants ask for."""
SERVER = """
my $socket = IO::Socket::INET->new(LocalPort => 80, Listen => 9, ReuseAddr => 1) or die $!;
while (my $user = $socket->accept) {
    print STDERR "somebody asks\\n";
    while (<$user>) { last if /^\\s*$/ }
    print $user "HTTP/1.0 200 OK\\r\\n\\r\\nhello";
    close $user;
}
"""
"""Debian's image has Perl, and is small: it is built, pushed, scanned and started sooner. It logs, as its role may."""
DOCKERFILE = f"""
FROM public.ecr.aws/docker/library/debian:bookworm-slim
CMD {json.dumps(["perl", "-MIO::Socket::INET", "-e", SERVER])}
""".encode()


@pytest.fixture
def advisories(engine: RunningEngine) -> Iterator[None]:
    """One advisory that concerns nobody: without any a scan says that it knows nothing."""
    folder = engine.data / "advisories"
    folder.mkdir(exist_ok=True)
    (folder / "one.json").write_text(json.dumps([advisory("DSA-1", "Debian:12", "nothing", "1")]))
    yield
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_grant_is_used_at_home_or_demanded_by_aws(engine: RunningEngine, advisories: None) -> None:
    template = synthesize(parse(_manifest(engine)))
    outputs = stacks.deploy(engine.client("cloudformation"), "shop", render(template), poll=0.1)
    _release(engine)
    assert _answer(engine, outputs["Url"]) == "hello"

    granted = grants(template)
    asked = _asked(engine)
    used = set(asked)
    only_on_aws = {(row[0], action) for row in table("Grants that only AWS uses") for action in row[1]}

    assert [pair for pair, count in granted.items() if count > 1] == [], "granted twice"
    assert set(granted) - used - only_on_aws == set(), "granted, and nobody needs it"
    assert only_on_aws & used == set(), "listed as used on AWS only, and used at home, too"
    assert only_on_aws - set(granted) == set(), "listed, but not granted any more"
    policies = {role: _policies(engine, name) for role, name in _roles(engine).items()}
    for role, action in sorted(used & set(granted)):
        verdicts = _verdicts(engine, list(policies[role].values()), action, asked[role, action])
        assert verdicts == ["allowed", "implicitDeny"], action
    assert "is not authorized to perform: codecommit:UploadArchive" in _source_without_upload(engine)


def _manifest(engine: RunningEngine) -> str:
    secret = engine.client("secretsmanager").create_secret(Name="key", SecretString="dragon")["ARN"]
    engine.client("ssm").put_parameter(Name="/level", Value="11", Type="String")
    parameter = f"arn:aws:ssm:{engine.region}:{engine.account}:parameter/level"
    return MANIFEST.format(secret=secret, parameter=parameter)


def _release(engine: RunningEngine) -> None:
    """Push, wait, approve, wait."""
    engine.client("codecommit").create_commit(
        repositoryName="shop",
        branchName="main",
        putFiles=[{"filePath": "Dockerfile", "fileContent": DOCKERFILE}],
    )
    client = engine.client("codepipeline")
    token = until(lambda: _approval(client) or _failure(engine), seconds=600)
    client.put_approval_result(
        pipelineName="shop",
        stageName="Deploy-production",
        actionName="Approve",
        result={"summary": "good", "status": "Approved"},
        token=token,
    )
    until(lambda: _failure(engine) or _actions(engine)["Start"].status == "Succeeded", seconds=600)


def _actions(engine: RunningEngine) -> dict[str, pipelines.Action]:
    client = engine.client("codepipeline")
    newest = pipelines.latest(client, "shop")
    return {each.name: each for each in pipelines.read(client, "shop", newest).actions} if newest else {}


def _failure(engine: RunningEngine) -> None:
    """Fail when an action has failed; asked seldom, for it costs the engine some calls."""
    time.sleep(0.5)
    failed = [f"{each.name}: {each.summary}" for each in _actions(engine).values() if each.status == "Failed"]
    assert not failed, failed


def _approval(client: Any) -> str | None:
    for stage in client.get_pipeline_state(name="shop")["stageStates"]:
        for action in stage["actionStates"]:
            if token := action.get("latestExecution", {}).get("token"):
                return str(token)
    return None


def _answer(engine: RunningEngine, url: str) -> str:
    host = url.partition("://")[2]
    port = listener_port(engine.client("elbv2"), host)
    with urlopen(Request(f"http://127.0.0.1:{port}/", headers={"Host": host}), timeout=10) as answer:
        return str(answer.read().decode())


def _asked(engine: RunningEngine) -> dict[tuple[str, str], str]:
    """What the roles did and on which resource, as the trail has it: none of it was denied."""
    roles = {name: role for role, name in _roles(engine).items()}
    found: dict[tuple[str, str], str] = {}
    for page in engine.client("cloudtrail").get_paginator("lookup_events").paginate():
        for event in page["Events"]:
            body = json.loads(event["CloudTrailEvent"])
            issuer = body["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn", "")
            if role := roles.get(issuer.rpartition("/")[2]):
                decision = body["additionalEventData"]["authorization"]
                assert decision["allowed"], body
                found[role, decision["action"]] = decision["resource"]
                if decision["action"] == "ecs:RegisterTaskDefinition":  # which asks for PassRole besides
                    found[role, "iam:PassRole"] = body["requestParameters"]["taskRoleArn"]
    return found


def _roles(engine: RunningEngine) -> dict[str, str]:
    """The stack's roles: names by logical ids."""
    described = engine.client("cloudformation").describe_stack_resources(StackName="shop")["StackResources"]
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in described
        if each["ResourceType"] == "AWS::IAM::Role"
    }


def _verdicts(
    engine: RunningEngine, documents: list[dict[str, Any]], action: str, resource: str
) -> list[str]:
    """IAM's answers to what a role asked: with its policies, and with the action taken out of them."""
    iam = engine.client("iam")
    [cluster] = engine.client("ecs").list_clusters()["clusterArns"]
    context = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in {**CONTEXT, "ecs:cluster": cluster}.items()
    ]
    return [
        iam.simulate_custom_policy(
            PolicyInputList=[json.dumps(each) for each in given],
            ActionNames=[action],
            ResourceArns=[resource],
            ContextEntries=context,
        )["EvaluationResults"][0]["EvalDecision"]
        for given in (documents, [_without(action, each) for each in documents])
    ]


def _source_without_upload(engine: RunningEngine) -> str:
    """Take the action out of the role for good, and tell how the next release fails."""
    role = _roles(engine)["PipelineRole"]
    engine.client("iam").put_role_policy(
        RoleName=role,
        PolicyName="source",
        PolicyDocument=json.dumps(_without("codecommit:UploadArchive", _policies(engine, role)["source"])),
    )
    engine.client("codepipeline").start_pipeline_execution(name="shop")
    return until(lambda: _actions(engine)["Source"], lambda source: source.status == "Failed").summary


def _policies(engine: RunningEngine, role: str) -> dict[str, dict[str, Any]]:
    """The inline policies of a role (its physical name), by name."""
    iam = engine.client("iam")
    return {
        policy: iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }


def _without(action: str, document: dict[str, Any]) -> dict[str, Any]:
    """The policy without the action; where nothing is left, one that speaks of something else."""
    rest = [
        {**each, "Action": kept}
        for each in document["Statement"]
        if (kept := [one for one in each["Action"] if one != action])
    ]
    return {
        **document,
        "Statement": rest or [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}],
    }
