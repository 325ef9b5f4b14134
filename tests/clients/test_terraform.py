"""What Terraform's AWS provider asks when it reads its resources back: each read is answered, and what is not there by
the error that the provider takes for "not there".

https://github.com/hashicorp/terraform-provider-aws
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_every_type import EVERY_TYPE, MAY, NESTED, physical, tagged
from tests.cloudformation.test_stacks import Stack, values

READS = (Path(__file__).parent / "terraform_reads.txt").read_text()


def test_every_read_is_answered(engine: RunningEngine):
    names = every_resource(engine)
    lines = [line for line in READS.splitlines() if line and not line.startswith("#")]

    wrong = [(line, found) for line in lines if (found := asked(engine, line, names)) != expected(line)]

    assert wrong == []


def test_tags_of_a_bucket_may_come_with_it(engine: RunningEngine):
    s3 = engine.client("s3")

    s3.create_bucket(Bucket="app", CreateBucketConfiguration={"Tags": tagged("one")})

    assert s3.get_bucket_tagging(Bucket="app")["TagSet"] == tagged("one")


def test_a_target_group_may_leave_its_protocol_version_empty(engine: RunningEngine):
    vpc = engine.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]

    made = engine.client("elbv2").create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", ProtocolVersion=""
    )

    assert made["TargetGroups"][0]["ProtocolVersion"] == "HTTP1"


def test_a_topic_takes_the_rates_of_delivery_logs_that_it_does_not_have(engine: RunningEngine):
    sns = engine.client("sns")
    topic = sns.create_topic(Name="app")["TopicArn"]
    named = {"TopicArn": topic, "AttributeName": "HTTPSuccessFeedbackSampleRate"}

    sns.set_topic_attributes(**named, AttributeValue="0")

    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["HTTPSuccessFeedbackSampleRate"] == "0"


def test_a_target_may_come_without_its_namespace(engine: RunningEngine):
    """As the SDKs for Go and JavaScript send it."""
    client = engine.client("codestar-connections")

    def shorten(request: Any, **_: Any) -> None:
        target = request.headers["X-Amz-Target"].rpartition("codestar.connections.")[2]
        request.headers.replace_header("X-Amz-Target", target)

    client.meta.events.register("before-sign", shorten)

    assert client.list_connections()["Connections"] == []


def every_resource(engine: RunningEngine) -> dict[str, str]:
    """One of each type, by their names in the template."""
    s3, ec2 = engine.client("s3"), engine.client("ec2")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="nested.yaml", Body=NESTED.encode())
    url = "https://templates.s3.amazonaws.com/nested.yaml"
    stack = Stack(engine).create(EVERY_TYPE, Parameters=values(Url=url), Tags=tagged("one"), **MAY)
    scaling = engine.client("application-autoscaling")
    scalable = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
    return {
        **physical(stack),
        "AllocationId": ec2.describe_addresses()["Addresses"][0]["AllocationId"],
        "ScalableTargetArn": scalable["ScalableTargetARN"],
        "account": engine.account,
        "region": engine.region,
    }


def expected(line: str) -> str:
    """The code of the error that a read ends with; nothing, when it is answered."""
    return line.rpartition("}")[2].strip()


def asked(engine: RunningEngine, line: str, names: dict[str, str]) -> str:
    """The code of the error that a read ended with; nothing, when it was answered."""
    service, operation, rest = line.split(" ", 2)
    given: dict[str, Any] = json.loads(Template(rest.rpartition("}")[0] + "}").safe_substitute(names))
    try:
        getattr(engine.client(service), operation)(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""
