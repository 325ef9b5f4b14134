"""Drift: changed and deleted behind a stack's back, and told apart from what is as the template says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_every_type import EVERY_TYPE, MAY, NESTED, tagged
from tests.cloudformation.test_stacks import Stack, values

TEMPLATE = """
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: app, RetentionInDays: 3, Tags: [{Key: team, Value: web}]}
  Setting: {Type: AWS::SSM::Parameter, Properties: {Name: app, Type: String, Value: one}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: app
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
  Repository:
    Type: AWS::ECR::Repository
    Properties: {RepositoryName: app, ImageTagMutability: IMMUTABLE}
  Stream: {Type: AWS::Logs::LogStream, Properties: {LogGroupName: !Ref Group}}
"""
NAMED = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}


@pytest.fixture
def stack(engine: RunningEngine) -> Stack:
    return Stack(engine).create(TEMPLATE, **NAMED)


def detect(stack: Stack) -> Any:
    """Detect the drift of a stack: what the detection says."""
    id = stack.client.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    return stack.client.describe_stack_drift_detection_status(StackDriftDetectionId=id)


def drifts(stack: Stack, *statuses: str) -> dict[str, Any]:
    """The drift of resources by their ids."""
    wanted = {"StackResourceDriftStatusFilters": list(statuses)} if statuses else {}
    found = stack.client.describe_stack_resource_drifts(StackName=stack.name, **wanted)["StackResourceDrifts"]
    return {each["LogicalResourceId"]: each for each in found}


def test_what_nobody_touched_is_in_sync(engine: RunningEngine) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="nested.yaml", Body=NESTED.encode())
    url = "https://templates.s3.amazonaws.com/nested.yaml"
    stack = Stack(engine).create(EVERY_TYPE, Parameters=values(Url=url), Tags=tagged("one"), **MAY)

    detection = detect(stack)

    differing = {id: each["PropertyDifferences"] for id, each in drifts(stack, "MODIFIED").items()}
    assert differing == {}
    assert detection.get("DetectionStatusReason") is None
    assert (detection["StackDriftStatus"], detection["DriftedStackResourceCount"]) == ("IN_SYNC", 0)
    assert len(drifts(stack, "IN_SYNC")) > 25


def test_what_was_changed_or_deleted_behind_the_stack_is_told(engine: RunningEngine, stack: Stack) -> None:
    logs = engine.client("logs")
    logs.put_retention_policy(logGroupName="app", retentionInDays=7)
    logs.tag_log_group(logGroupName="app", tags={"more": "than that"})
    engine.client("ssm").delete_parameter(Name="app")
    iam = engine.client("iam")
    policy = json.loads(json.dumps(iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"]))
    policy["Statement"].append({**policy["Statement"][0], "Principal": {"Service": "ec2.amazonaws.com"}})
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=json.dumps(policy))

    detection = detect(stack)

    assert (detection["DetectionStatus"], detection["StackDriftStatus"]) == ("DETECTION_COMPLETE", "DRIFTED")
    assert detection["DriftedStackResourceCount"] == 3
    found = drifts(stack)
    statuses = {id: each["StackResourceDriftStatus"] for id, each in found.items()}
    assert statuses == {
        "Group": "MODIFIED",
        "Setting": "DELETED",
        "Role": "MODIFIED",
        "Repository": "IN_SYNC",
    }
    assert found["Group"]["PropertyDifferences"] == [
        {
            "PropertyPath": "/RetentionInDays",
            "ExpectedValue": "3",
            "ActualValue": "7",
            "DifferenceType": "NOT_EQUAL",
        },
        {
            "PropertyPath": "/Tags/1",
            "ExpectedValue": "null",
            "ActualValue": '{"Key":"more","Value":"than that"}',
            "DifferenceType": "ADD",
        },
    ]
    (added,) = found["Role"]["PropertyDifferences"]
    assert added["PropertyPath"] == "/AssumeRolePolicyDocument/Statement/1"
    described = stack.client.describe_stacks(StackName=stack.name)["Stacks"][0]
    assert described["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
    shown = stack.client.describe_stack_resources(StackName=stack.name)["StackResources"]
    told = {each["LogicalResourceId"]: each["DriftInformation"]["StackResourceDriftStatus"] for each in shown}
    assert told == {**statuses, "Stream": "NOT_CHECKED"}


def test_one_resource_is_looked_at_alone(engine: RunningEngine, stack: Stack) -> None:
    ask = stack.client.detect_stack_resource_drift
    drift = ask(StackName=stack.name, LogicalResourceId="Group")["StackResourceDrift"]
    assert (drift["StackResourceDriftStatus"], drift["PropertyDifferences"]) == ("IN_SYNC", [])
    assert json.loads(drift["ExpectedProperties"]) == json.loads(drift["ActualProperties"])

    engine.client("logs").delete_retention_policy(logGroupName="app")
    drift = ask(StackName=stack.name, LogicalResourceId="Group")["StackResourceDrift"]
    assert drift["PropertyDifferences"][0]["DifferenceType"] == "REMOVE"
    assert set(drifts(stack)) == {"Group"}

    with pytest.raises(ClientError, match="Drift detection is not supported for AWS::Logs::LogStream"):
        ask(StackName=stack.name, LogicalResourceId="Stream")


def test_what_no_one_may_see_is_not_compared(engine: RunningEngine) -> None:
    template = """
Parameters: {Word: {Type: String, NoEcho: true}}
Resources:
  Setting: {Type: AWS::SSM::Parameter, Properties: {Name: app, Type: String, Value: !Sub "password=${Word}"}}
"""
    stack = Stack(engine).create(template, Parameters=values(Word="hush"))
    engine.client("ssm").put_parameter(Name="app", Value="password=other", Overwrite=True)

    assert detect(stack)["StackDriftStatus"] == "IN_SYNC"
    assert json.loads(drifts(stack)["Setting"]["ExpectedProperties"]) == {"Type": "String"}


def test_an_update_forgets_the_drift_of_what_it_changes(engine: RunningEngine, stack: Stack) -> None:
    engine.client("logs").put_retention_policy(logGroupName="app", retentionInDays=7)
    assert detect(stack)["StackDriftStatus"] == "DRIFTED"

    stack.update(TEMPLATE.replace("RetentionInDays: 3", "RetentionInDays: 5"), **NAMED)

    assert "Group" not in drifts(stack)
    assert detect(stack)["StackDriftStatus"] == "IN_SYNC"


def test_a_change_set_that_reverts_drift_brings_resources_back_to_the_template(
    engine: RunningEngine, stack: Stack
) -> None:
    logs, ssm = engine.client("logs"), engine.client("ssm")
    logs.delete_retention_policy(logGroupName="app")
    logs.tag_log_group(logGroupName="app", tags={"more": "than that"})
    ssm.delete_parameter(Name="app")
    named = {"StackName": stack.name, "ChangeSetName": "revert"}

    stack.client.create_change_set(**named, TemplateBody=TEMPLATE, DeploymentMode="REVERT_DRIFT", **NAMED)

    described = stack.client.describe_change_set(**named)
    changes = {
        each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in described["Changes"]
    }
    assert {id: each["Action"] for id, each in changes.items()} == {"Group": "Modify", "Setting": "Add"}
    assert changes["Group"]["Scope"] == ["Properties", "Tags"]
    stack.client.execute_change_set(**named)
    stack.wait("stack_update_complete")
    assert detect(stack)["StackDriftStatus"] == "IN_SYNC"
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 3
    assert logs.list_tags_log_group(logGroupName="app")["tags"] == {"team": "web"}
    assert ssm.get_parameter(Name="app")["Parameter"]["Value"] == "one"
