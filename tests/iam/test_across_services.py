"""Conditions and ARNs that only the service which owns a resource can tell."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.iam.conftest import allow, deny, document

RED = {"StringEquals": {"aws:ResourceTag/team": "red"}}


def denied(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError"), error
    return error["Message"]


def test_a_secret_is_known_by_its_arn_however_it_is_named(engine, user) -> None:
    arn = engine.client("secretsmanager").create_secret(Name="db", SecretString="s")["ARN"]
    engine.client("secretsmanager").create_secret(Name="other", SecretString="s")
    secrets = user("ann", allow("secretsmanager:GetSecretValue", resource=arn)).client("secretsmanager")

    assert secrets.get_secret_value(SecretId="db")["ARN"] == arn
    assert secrets.get_secret_value(SecretId=arn)["ARN"] == arn
    denied(secrets.get_secret_value, SecretId="other")


def test_a_secrets_own_policy_counts(engine, user) -> None:
    root = engine.client("secretsmanager")
    root.create_secret(Name="db", SecretString="s")
    ann = user("ann").client("secretsmanager")
    denied(ann.get_secret_value, SecretId="db")

    to_ann = {"AWS": "arn:aws:iam::123456789012:user/ann"}
    policy = document(allow("secretsmanager:GetSecretValue", Principal=to_ann))
    root.put_resource_policy(SecretId="db", ResourcePolicy=policy)

    assert ann.get_secret_value(SecretId="db")["SecretString"] == "s"
    root.put_resource_policy(SecretId="db", ResourcePolicy=document(deny("*", Principal=to_ann)))
    assert denied(ann.get_secret_value, SecretId="db").endswith(
        "with an explicit deny in a resource-based policy"
    )


def test_parameters_by_path(engine, user) -> None:
    for name in ("/app/a", "/other/b"):
        engine.client("ssm").put_parameter(Name=name, Value="v", Type="String")
    below = "arn:aws:ssm:us-east-1:123456789012:parameter/app"
    ssm = user("ann", allow("ssm:GetParameter*", resource=[below, f"{below}/*"])).client("ssm")

    assert ssm.get_parameter(Name="/app/a")["Parameter"]["Value"] == "v"
    assert len(ssm.get_parameters_by_path(Path="/app")["Parameters"]) == 1
    assert "parameter/other/b" in denied(ssm.get_parameter, Name="/other/b")
    denied(ssm.get_parameters, Names=["/app/a", "/other/b"])


@pytest.mark.parametrize("team", ["red", "blue"])
def test_tags_of_resources(engine, user, team: str) -> None:
    engine.client("ecr").create_repository(repositoryName="app", tags=[{"Key": "team", "Value": team}])
    engine.client("ecs").create_cluster(clusterName="app", tags=[{"key": "team", "value": team}])
    engine.client("logs").create_log_group(logGroupName="/app", tags={"team": team})
    engine.client("ssm").put_parameter(
        Name="/app", Value="v", Type="String", Tags=[{"Key": "team", "Value": team}]
    )
    engine.client("secretsmanager").create_secret(
        Name="app", SecretString="s", Tags=[{"Key": "team", "Value": team}]
    )
    engine.client("s3").create_bucket(Bucket="app")
    engine.client("s3").put_object(Bucket="app", Key="k", Body=b"", Tagging=f"team={team}")
    objects = {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}
    ann = user("ann", allow("*", Condition=RED), allow("s3:GetObject", Condition=objects))

    for call, params in (
        (ann.client("ecr").describe_images, {"repositoryName": "app"}),
        (ann.client("ecs").update_cluster, {"cluster": "app"}),
        (ann.client("logs").put_retention_policy, {"logGroupName": "/app", "retentionInDays": 1}),
        (ann.client("ssm").get_parameter, {"Name": "/app"}),
        (ann.client("secretsmanager").get_secret_value, {"SecretId": "app"}),
        (ann.client("s3").get_object, {"Bucket": "app", "Key": "k"}),
    ):
        if team == "red":
            call(**params)
        else:
            denied(call, **params)


def test_tags_that_a_request_must_set(engine, user) -> None:
    tagged = {
        "StringEquals": {"aws:RequestTag/team": "red"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    ecr = user("ann", allow("ecr:CreateRepository", Condition=tagged)).client("ecr")

    ecr.create_repository(repositoryName="one", tags=[{"Key": "team", "Value": "red"}])
    denied(ecr.create_repository, repositoryName="two")
    denied(ecr.create_repository, repositoryName="two", tags=[{"Key": "team", "Value": "blue"}])
    more = [{"Key": "team", "Value": "red"}, {"Key": "more", "Value": "1"}]
    denied(ecr.create_repository, repositoryName="two", tags=more)


def test_a_cluster_as_a_condition(engine, user) -> None:
    for name in ("mine", "theirs"):
        engine.client("ecs").create_cluster(clusterName=name)
    mine = {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/mine"}}
    ecs = user("ann", allow("ecs:ListTasks", Condition=mine)).client("ecs")

    ecs.list_tasks(cluster="mine")
    denied(ecs.list_tasks, cluster="theirs")


def test_what_moto_answers_is_judged_by_resource_too(engine, user) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:mine"
    sqs = user("ann", allow("sqs:CreateQueue", "sqs:SendMessage", resource=queue)).client("sqs")

    url = sqs.create_queue(QueueName="mine")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")

    denied(sqs.create_queue, QueueName="theirs")
