"""Invoke actions of CodePipeline, answered from within the function."""

from __future__ import annotations

import json

from homeport.pytest_plugin import RunningEngine
from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    codecommit_source,
    declaration,
    first,
    outcome,
    put,
    start,
)
from tests.codepipeline.pipelines import role as pipeline_role
from tests.lambda_.functions import create, role

SOURCE = """
import boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    said = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    pipelines = boto3.client("codepipeline")
    if said == "fail":
        details = {"type": "JobFailed", "message": "it said fail"}
        pipelines.put_job_failure_result(jobId=job["id"], failureDetails=details)
    else:
        pipelines.put_job_success_result(jobId=job["id"], outputVariables={"Answer": said + "!"})
"""
ANSWER = {
    "Effect": "Allow",
    "Action": ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"],
    "Resource": "*",
}


def test_a_function_decides_on_an_action(engine: RunningEngine) -> None:
    role(engine)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ANSWER]})
    engine.client("iam").put_role_policy(RoleName="function", PolicyName="jobs", PolicyDocument=policy)
    create(engine, SOURCE)
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")

    def call(name: str, said: str, **members: str) -> dict[str, object]:
        return action(name, "Invoke", "Lambda", {"FunctionName": "f", "UserParameters": said}, **members)

    codepipeline = engine.client("codepipeline")
    codepipeline.create_pipeline(
        pipeline=declaration(
            "web",
            pipeline_role(engine),
            ("Source", codecommit_source()),
            ("Ask", call("Ask", "yes", namespace="ask")),
            ("Use", call("Use", "#{ask.Answer}", namespace="use")),
            ("Fail", call("Fail", "fail")),
            pipelineType="V2",
        )
    )
    id = first(engine, "web")
    assert outcome(engine, "web", id, seconds=90) == ("Failed", ["it said fail"])
    runs = codepipeline.list_action_executions(pipelineName="web", filter={"pipelineExecutionId": id})
    variables = {
        one["actionName"]: one["output"].get("outputVariables") for one in runs["actionExecutionDetails"]
    }
    assert (variables["Ask"], variables["Use"]) == ({"Answer": "yes!"}, {"Answer": "yes!!"})

    engine.client("lambda").delete_function(FunctionName="f")
    status, (message,) = outcome(engine, "web", start(engine, "web"), seconds=90)
    assert status == "Failed" and "Function not found" in message
