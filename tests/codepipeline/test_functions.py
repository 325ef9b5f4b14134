"""Lambda functions in pipelines: the action Invoke Lambda, and the rule LambdaInvoke (needs Docker)."""

import json

import pytest

from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    codecommit_source,
    declaration,
    ended,
    first,
    outcome,
    put,
    s3_deploy,
    start,
)
from tests.lambda_.functions import create, role

JOB = """
import boto3, json

def handler(event, context):
    job = event["CodePipeline.job"]
    codepipeline = boto3.client("codepipeline")
    wanted = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    if wanted == "fail":
        details = {"type": "JobFailed", "message": "the function does not want to"}
        codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)
    elif "continuationToken" not in job["data"]:
        codepipeline.put_job_success_result(jobId=job["id"], continuationToken="half way")
    else:
        keys = job["data"]["artifactCredentials"]
        s3 = boto3.client(
            "s3",
            aws_access_key_id=keys["accessKeyId"],
            aws_secret_access_key=keys["secretAccessKey"],
            aws_session_token=keys["sessionToken"],
        )
        place = job["data"]["inputArtifacts"][0]["location"]["s3Location"]
        s3.head_object(Bucket=place["bucketName"], Key=place["objectKey"])
        said = {"where": wanted, "after": job["data"]["continuationToken"]}
        codepipeline.put_job_success_result(jobId=job["id"], outputVariables=said)
"""


@pytest.fixture
def functions(engine):
    """A role for functions, which may answer jobs."""
    arn = role(engine, "function", "lambda.amazonaws.com")
    results = ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"]
    statement = {"Effect": "Allow", "Action": results, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    engine.client("iam").put_role_policy(RoleName="function", PolicyName="jobs", PolicyDocument=policy)
    return arn


def invoke(parameters, **members):
    configuration = {"FunctionName": "f", "UserParameters": parameters}
    return action("Call", "Invoke", "Lambda", configuration, inputs=["Code"], **members)


@pytest.mark.slow
def test_a_function_carries_a_job_out_in_steps_and_its_variables_are_used(engine, delivery, functions):
    create(engine, JOB)
    structure = declaration(
        "web", delivery, ("Source", codecommit_source()), ("Call", invoke("#{variables.what}", namespace="F")),
        ("Deploy", s3_deploy(key="#{F.where}")),
        pipelineType="V2", variables=[{"name": "what", "defaultValue": "there"}],
    )  # fmt: skip
    codepipeline = engine.client("codepipeline")
    codepipeline.create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web")) == ("Succeeded", [])
    call = codepipeline.list_action_executions(pipelineName="web")["actionExecutionDetails"][1]
    assert call["output"]["outputVariables"] == {"where": "there", "after": "half way"}
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="there/index.html")["Body"].read() == b"one"
    failing = start(engine, "web", variables=[{"name": "what", "value": "fail"}])
    assert outcome(engine, "web", failing) == ("Failed", ["the function does not want to"])


@pytest.mark.slow
def test_a_function_is_the_rule_of_a_condition(engine, delivery, functions):
    create(engine, "def handler(event, context):\n    return {'found': 1 // int(event['userParameters'])}")
    kind = {"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"}
    configuration = {"FunctionName": "f", "UserParameters": "#{Src.CommitMessage}"}
    rule = {"name": "Ask", "ruleTypeId": kind, "configuration": configuration}
    deploy = {"name": "Deploy", "actions": [s3_deploy()]}
    deploy["beforeEntry"] = {"conditions": [{"result": "FAIL", "rules": [rule]}]}
    put(engine, "good", message="1")
    source = ("Source", codecommit_source(namespace="Src"))
    structure = declaration("web", delivery, source, deploy, pipelineType="V2")
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert ended(engine, "web", first(engine, "web"))["status"] == "Succeeded"
    put(engine, "bad", message="0")
    assert ended(engine, "web", start(engine, "web"))["status"] == "Failed"
    asked = engine.client("codepipeline").list_rule_executions(pipelineName="web")["ruleExecutionDetails"]
    assert "ZeroDivisionError" in asked[0]["output"]["executionResult"]["errorDetails"]["message"]
