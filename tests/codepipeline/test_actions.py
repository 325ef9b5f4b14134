"""Action providers other than those of the main path."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request

import pytest

from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    answer,
    approval,
    codecommit_source,
    declaration,
    ended,
    first,
    outcome,
    put,
    s3_deploy,
    start,
    until,
    waiting_token,
    zipped,
)

TEMPLATE = {
    "Parameters": {"Name": {"Type": "String"}},
    "Resources": {
        "Setting": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Name"}}}
    },
    "Outputs": {"Setting": {"Value": {"Ref": "Setting"}}},
}


def stack(name, mode, run_order=1, **configuration):
    given = {"ActionMode": mode, "StackName": "stack", **configuration}
    return action(name, "Deploy", "CloudFormation", given, ["Code"], runOrder=run_order, namespace=name)


def create(engine, role, *stages, **members):
    structure = declaration("web", role, ("Source", codecommit_source()), *stages, **members)
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    return first(engine, "web")


def test_a_stack_is_created_changed_by_a_change_set_and_deleted(engine, delivery):
    put(engine, json.dumps(TEMPLATE), "template.json")
    put(engine, json.dumps({"Parameters": {"Name": "from the file"}}), "settings.json")
    create_update = stack(
        "Create",
        "CREATE_UPDATE",
        TemplatePath="Code::template.json",
        TemplateConfiguration="Code::settings.json",
    )
    change = stack(
        "Change", "CHANGE_SET_REPLACE", 2, ChangeSetName="next", TemplatePath="Code::template.json",
        ParameterOverrides=json.dumps({"Name": {"Fn::GetArtifactAtt": ["Code", "BucketName"]}}),
    )  # fmt: skip
    execute = stack("Execute", "CHANGE_SET_EXECUTE", 3, ChangeSetName="next")
    id = create(
        engine,
        delivery,
        ("Stack", create_update, change, execute),
        ("Review", approval()),
        ("Delete", stack("Remove", "DELETE_ONLY")),
    )
    waiting_token(engine, "web", "Review")
    outputs = {
        one["actionName"]: one["output"]["outputVariables"]
        for one in engine.client("codepipeline").list_action_executions(pipelineName="web")[
            "actionExecutionDetails"
        ]
    }
    name = outputs["Execute"]["Setting"]
    ssm = engine.client("ssm")
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == BUCKET
    answer(engine, "web", "Review")
    assert outcome(engine, "web", id, 60) == ("Succeeded", [])
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=name)


def test_a_stack_that_cannot_be_created_fails_with_the_resources_reason(engine, delivery):
    broken = {
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": "no"}}}
    }
    put(engine, json.dumps(broken), "template.json")
    action = stack(
        "Create", "CREATE_UPDATE", TemplatePath="Code::template.json", Capabilities="CAPABILITY_IAM"
    )
    status, messages = outcome(engine, "web", create(engine, delivery, ("Stack", action)), 60)
    assert status == "Failed" and "Role" in messages[0]


def test_a_pipeline_invokes_another_and_waits_for_it(engine, delivery):
    inner = declaration("inner", delivery, ("Source", codecommit_source()), ("Review", approval()))
    engine.client("codepipeline").create_pipeline(pipeline=inner)
    call = action("Call", "Invoke", "CodePipeline", {"PipelineName": "inner"}, namespace="Inner")
    id = create(engine, delivery, ("Call", call))

    def newest():
        found = engine.client("codepipeline").list_pipeline_executions(pipelineName="inner")
        return len(found["pipelineExecutionSummaries"]) == 2 and found["pipelineExecutionSummaries"][0]

    started = until(newest)["pipelineExecutionId"]
    answer(engine, "inner", "Review", id=first(engine, "inner"))
    answer(engine, "inner", "Review", id=started)
    assert outcome(engine, "web", id) == ("Succeeded", [])
    detail = engine.client("codepipeline").list_action_executions(pipelineName="web")[
        "actionExecutionDetails"
    ][0]
    assert detail["output"]["outputVariables"] == {"PipelineExecutionId": started}


def test_an_object_in_s3_is_a_source_and_is_polled(engine, delivery):
    s3 = engine.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="in.zip", Body=zipped(index_html="zipped"))["VersionId"]
    source = action("Source", "Source", "S3", {"S3Bucket": BUCKET, "S3ObjectKey": "in.zip"}, outputs=["Code"])
    structure = declaration("web", delivery, ("Source", source), ("Deploy", s3_deploy()))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    execution = ended(engine, "web", first(engine, "web"))
    assert (execution["status"], execution["artifactRevisions"][0]["revisionId"]) == ("Succeeded", version)
    assert s3.get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"zipped"


def test_a_lambda_job_without_a_function_fails_and_an_unknown_job_is_refused(engine, delivery):
    call = action("Call", "Invoke", "Lambda", {"FunctionName": "nobody"})
    status, messages = outcome(engine, "web", create(engine, delivery, ("Call", call)))
    assert status == "Failed" and "nobody" in messages[0]
    client = engine.client("codepipeline")
    with pytest.raises(client.exceptions.JobNotFoundException):
        client.put_job_success_result(jobId="f4f4ff82-2d11-4d11-8d11-1d1111111111")


def test_a_pipeline_that_polls_finds_a_commit(engine, delivery):
    source = codecommit_source()
    source["configuration"]["PollForSourceChanges"] = "true"
    structure = declaration("web", delivery, ("Source", source), ("Deploy", s3_deploy()))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert ended(engine, "web", first(engine, "web"))["status"] == "Succeeded"
    assert start(engine, "web")
    put(engine, "two")
    engine.restart()  # a start looks at every source at once, instead of in half a minute

    def polled():
        listed = engine.client("codepipeline").list_pipeline_executions(pipelineName="web")
        return [
            one
            for one in listed["pipelineExecutionSummaries"]
            if one["trigger"]["triggerType"] == "PollForSourceChanges"
        ]

    assert ended(engine, "web", until(polled)[0]["pipelineExecutionId"])["status"] == "Succeeded"
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"two"


def test_a_webhook_starts_its_pipeline_for_a_signed_payload_that_matches(engine, delivery):
    id = create(engine, delivery, ("Deploy", s3_deploy()))
    assert ended(engine, "web", id)["status"] == "Succeeded"
    client = engine.client("codepipeline")
    webhook = client.put_webhook(
        webhook={
            "name": "hook", "targetPipeline": "web", "targetAction": "Source", "authentication": "GITHUB_HMAC",
            "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{BranchName}"}],
            "authenticationConfiguration": {"SecretToken": "s3cret"},
        }
    )["webhook"]  # fmt: skip

    def post(reference, secret="s3cret"):
        body = json.dumps({"ref": reference}).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            webhook["url"], body, {"X-Hub-Signature-256": signature}, method="POST"
        )
        try:
            with urllib.request.urlopen(request) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    assert post("refs/heads/main", "wrong") == 403
    assert post("refs/heads/other") == 200
    assert post("refs/heads/main") == 200
    listed = client.list_pipeline_executions(pipelineName="web")["pipelineExecutionSummaries"]
    assert [one["trigger"]["triggerType"] for one in listed] == ["Webhook", "CreatePipeline"]
    assert client.list_webhooks()["webhooks"][0]["definition"]["authenticationConfiguration"] == {
        "SecretToken": "****"
    }
