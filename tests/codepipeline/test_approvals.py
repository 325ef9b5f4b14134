"""Manual approvals: who is told, who answers, and what happens when nobody does."""

import json

import pytest

from tests.codepipeline.pipelines import (
    BUCKET,
    answer,
    approval,
    codecommit_source,
    declaration,
    first,
    outcome,
    put,
    role,
    waiting_token,
)
from tests.waiting import until


def create(engine, arn, **members):
    structure = declaration("web", arn, ("Source", codecommit_source()), ("Review", approval(**members)))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    return first(engine, "web")


def approval_action(engine):
    found = engine.client("codepipeline").list_action_executions(pipelineName="web")
    return found["actionExecutionDetails"][0]


def test_a_topic_is_told_with_the_token_that_answers(engine, delivery):
    topic = engine.client("sns").create_topic(Name="reviews")["TopicArn"]
    sqs = engine.client("sqs")
    queue = sqs.create_queue(QueueName="reviews")["QueueUrl"]
    arn = f"arn:aws:sqs:{engine.region}:{engine.account}:reviews"
    engine.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    configuration = {
        "NotificationArn": topic,
        "CustomData": "Look at #{variables.page}",
        "ExternalEntityLink": "https://example.com/preview",
    }
    review = approval() | {"configuration": configuration}
    structure = declaration(
        "web", delivery, ("Source", codecommit_source()), ("Review", review),
        pipelineType="V2", variables=[{"name": "page", "defaultValue": "the front page"}],
    )  # fmt: skip
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    message = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))[0]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "APPROVAL NEEDED: AWS CodePipeline web for action Approve"
    told = json.loads(envelope["Message"])["approval"]
    assert told["customData"] == "Look at the front page"
    assert told["externalEntityLink"] == "https://example.com/preview"
    assert told["token"] == waiting_token(engine, "web", "Review")

    client = engine.client("codepipeline")
    request = {"pipelineName": "web", "stageName": "Review", "actionName": "Approve"}
    with pytest.raises(client.exceptions.InvalidApprovalTokenException):
        client.put_approval_result(
            **request,
            token="0dd0f0f0-0000-4000-8000-000000000000",
            result={"status": "Approved", "summary": "no"},
        )
    client.put_approval_result(**request, token=told["token"], result={"status": "Approved", "summary": "ok"})
    assert outcome(engine, "web", first(engine, "web")) == ("Succeeded", [])
    with pytest.raises(client.exceptions.ApprovalAlreadyCompletedException):
        client.put_approval_result(
            **request, token=told["token"], result={"status": "Rejected", "summary": "late"}
        )


def test_the_history_says_who_approved(engine, delivery):
    iam = engine.client("iam")
    iam.create_user(UserName="ada")
    allowed = {
        "Effect": "Allow",
        "Action": "codepipeline:PutApprovalResult",
        "Resource": f"arn:aws:codepipeline:{engine.region}:{engine.account}:web/Review/Approve",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="ada", PolicyName="approve", PolicyDocument=policy)
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    ada = engine.client(
        "codepipeline",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    id = create(engine, delivery)
    ada.put_approval_result(
        pipelineName="web", stageName="Review", actionName="Approve",
        token=waiting_token(engine, "web", "Review"), result={"status": "Rejected", "summary": "too red"},
    )  # fmt: skip
    assert outcome(engine, "web", id) == ("Failed", ["Approval rejected. Comments: too red"])
    assert approval_action(engine)["updatedBy"] == f"arn:aws:iam::{engine.account}:user/ada"
    state = engine.client("codepipeline").get_pipeline_state(name="web")["stageStates"][1]["actionStates"][0]
    assert state["latestExecution"]["lastUpdatedBy"] == f"arn:aws:iam::{engine.account}:user/ada"


def test_an_approval_that_nobody_gives_fails_when_its_time_is_over(own_engine):
    own_engine.start(HOMEPORT_CLOCK_SPEED="150")
    own_engine.client("s3").create_bucket(Bucket=BUCKET)
    own_engine.client("codecommit").create_repository(repositoryName="app")
    put(own_engine, "one")
    id = create(own_engine, role(own_engine), timeoutInMinutes=5)
    status, messages = outcome(own_engine, "web", id)
    assert (status, len(messages)) == ("Failed", 1) and "5 minutes" in messages[0]
    client = own_engine.client("codepipeline")
    client.retry_stage_execution(
        pipelineName="web", stageName="Review", pipelineExecutionId=id, retryMode="FAILED_ACTIONS"
    )
    answer(own_engine, "web", "Review")
    assert outcome(own_engine, "web", id)[0] == "Succeeded"
