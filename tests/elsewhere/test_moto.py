"""Services that are not homeport's own are answered by moto, and survive the engine."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


def test_a_vpc_survives_kill_9_with_its_id(own_engine: RunningEngine) -> None:
    own_engine.start()
    ec2 = own_engine.client("ec2")
    default = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]

    own_engine.restart()

    ec2 = own_engine.client("ec2")
    assert {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]} == {default, vpc}
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"] == vpc


def test_the_answer_says_who_gave_it(engine: RunningEngine) -> None:
    answer = engine.client("sqs").create_queue(QueueName="jobs")

    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-homeport-answered-by"] == "moto"


def test_reset_empties_it(engine: RunningEngine) -> None:
    dynamodb = engine.client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    engine.reset()

    assert dynamodb.list_tables()["TableNames"] == []


def test_a_service_that_nobody_has_is_refused_in_one_sentence(engine: RunningEngine) -> None:
    with pytest.raises(ClientError, match="Neither homeport nor moto has ecr-public"):
        engine.client("ecr-public").describe_repositories()
