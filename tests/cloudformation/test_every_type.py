"""One resource of each type: made, changed, taken away."""

import re
from pathlib import Path

from homeport.engine.services.cloudformation.resources import PROVIDERS
from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import Stack, values

EVERY_TYPE = (Path(__file__).parent / "templates" / "every_type.yaml").read_text()
ELSEWHERE = {"AWS::CloudFormation::CustomResource", "AWS::IAM::ServerCertificate"}
"""Types that need more than a template, and have tests of their own."""
NESTED = """
Parameters: {Word: {Type: String}}
Resources: {Setting: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Word}}}
"""
MAY = {"Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]}


def test_the_template_has_every_type():
    assert set(re.findall(r"Type: (AWS::\w+::\w+)", EVERY_TYPE)) == set(PROVIDERS) - ELSEWHERE


def test_every_type_is_made_changed_in_place_and_deleted(engine: RunningEngine):
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="nested.yaml", Body=NESTED.encode())
    url = "https://templates.s3.amazonaws.com/nested.yaml"

    stack = Stack(engine).create(EVERY_TYPE, Parameters=values(Url=url), Tags=tagged("one"), **MAY)
    made = physical(stack)

    stack.update(EVERY_TYPE, Parameters=values(Url=url, Word="two", Number=2), Tags=tagged("two"), **MAY)
    replaced = {id for id, name in physical(stack).items() if name != made[id]}
    assert replaced == {"Ingress", "Egress"}
    policy = engine.client("sns").get_topic_attributes(TopicArn=made["Topic"])["Attributes"]["Policy"]
    assert '"two"' in policy
    key = engine.client("kms").describe_key(KeyId=made["Key"])["KeyMetadata"]
    assert key["Description"] == "two"
    assert engine.client("kms").get_key_rotation_status(KeyId=made["Key"])["KeyRotationEnabled"] is False

    stack.delete()


def test_a_change_that_cannot_be_made_in_place_leaves_the_stack_as_it_was(engine: RunningEngine):
    template = """
Parameters: {Method: {Type: String}}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties: {DomainName: app.example.com, ValidationMethod: !Ref Method}
"""
    stack = Stack(engine).create(template, Parameters=values(Method="DNS"))

    stack.update(template, ok=False, Parameters=values(Method="EMAIL"))

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "homeport does not change ValidationMethod" in stack.reasons


def tagged(word: str) -> list[dict[str, str]]:
    return [{"Key": "word", "Value": word}]


def physical(stack: Stack) -> dict[str, str]:
    pages = stack.client.get_paginator("list_stack_resources").paginate(StackName=stack.name)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
    }
