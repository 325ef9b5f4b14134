"""Action providers other than those of the main path."""

import hashlib
import hmac
import io
import json
import re
import urllib.error
import urllib.request
import zipfile

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
    inner = declaration(
        "inner", delivery, ("Source", codecommit_source()), ("Review", approval()),
        pipelineType="V2", variables=[{"name": "why", "defaultValue": "none"}],
    )  # fmt: skip
    engine.client("codepipeline").create_pipeline(pipeline=inner)
    message = 'Say "two" to #{all.others}'
    put(engine, "two", message=message)
    given = {"PipelineName": "inner", "Variables": '[{"name": "why", "value": "#{Src.CommitMessage}"}]'}
    call = action("Call", "Invoke", "CodePipeline", given, namespace="Inner")
    source = ("Source", codecommit_source(namespace="Src"))
    structure = declaration("web", delivery, source, ("Call", call), pipelineType="V2")
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    id = first(engine, "web")

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
    execution = engine.client("codepipeline").get_pipeline_execution(
        pipelineName="inner", pipelineExecutionId=started
    )["pipelineExecution"]
    assert execution["variables"] == [{"name": "why", "resolvedValue": message}]


@pytest.mark.parametrize("value", ["{no JSON", '[{"name": "A"}]', '[{"name": "A", "value": 1}]'])
def test_environment_variables_that_cannot_be_read_are_named(engine, delivery, value):
    given = {"ProjectName": "none", "EnvironmentVariables": value}
    id = create(engine, delivery, ("Build", action("Build", "Build", "CodeBuild", given, ["Code"])))
    status, (message,) = outcome(engine, "web", id)
    assert status == "Failed" and message.startswith("EnvironmentVariables ")


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
    assert post("refs/heads/main") == 200, "a replay starts nothing"
    listed = client.list_pipeline_executions(pipelineName="web")["pipelineExecutionSummaries"]
    assert [one["trigger"]["triggerType"] for one in listed] == ["Webhook", "CreatePipeline"]
    assert client.list_webhooks()["webhooks"][0]["definition"]["authenticationConfiguration"] == {
        "SecretToken": "****"
    }


def test_an_action_in_another_region_works_with_a_copy_of_its_artifact_there(engine, delivery):
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="there", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    structure = declaration(
        "web", delivery, ("Source", codecommit_source()), ("Deploy", s3_deploy(region="eu-west-1"))
    )
    del structure["artifactStore"]
    structure["artifactStores"] = {
        engine.region: {"type": "S3", "location": BUCKET},
        "eu-west-1": {"type": "S3", "location": "there"},
    }
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web")) == ("Succeeded", [])
    deploy, source = engine.client("codepipeline").list_action_executions(pipelineName="web")[
        "actionExecutionDetails"
    ]
    assert source["output"]["outputArtifacts"][0]["s3location"]["bucket"] == BUCKET
    copy = deploy["input"]["inputArtifacts"][0]["s3location"]
    assert (deploy["input"]["region"], copy["bucket"]) == ("eu-west-1", "there")
    assert s3.head_object(Bucket="there", Key=copy["key"])["ContentType"] == "application/zip"
    assert s3.get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"one"


def test_an_artifact_is_deployed_as_it_is_under_a_dated_key(engine, delivery):
    configuration = {"BucketName": BUCKET, "Extract": "false", "ObjectKey": "kept/{datetime}/{uuid}.zip"}
    settings = {"CacheControl": "max-age=60"}
    deploy = action("Deploy", "Deploy", "S3", configuration | settings, inputs=["Code"])
    id = create(engine, delivery, ("Deploy", deploy))
    assert ended(engine, "web", id)["status"] == "Succeeded"
    s3 = engine.client("s3")
    (found,) = s3.list_objects_v2(Bucket=BUCKET, Prefix="kept/")["Contents"]
    assert re.fullmatch(r"kept/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d/[0-9a-f-]{36}\.zip", found["Key"])
    kept = s3.get_object(Bucket=BUCKET, Key=found["Key"])
    assert kept["CacheControl"] == "max-age=60"
    assert zipfile.ZipFile(io.BytesIO(kept["Body"].read())).namelist() == ["index.html"]


def test_names_in_an_artifact_lead_to_no_file_of_the_engines(engine, delivery):
    s3 = engine.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../../../../../etc/passwd", "of the artifact")
    s3.put_object(Bucket=BUCKET, Key="in.zip", Body=buffer.getvalue())
    source = action("Source", "Source", "S3", {"S3Bucket": BUCKET, "S3ObjectKey": "in.zip"}, outputs=["Code"])
    structure = declaration("web", delivery, ("Source", source), ("Deploy", s3_deploy()))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web")) == ("Succeeded", [])
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="site/")["Contents"]
    bodies = [s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed]
    assert bodies == [b"of the artifact"]


def test_an_image_is_a_source(engine, delivery):
    ecr = engine.client("ecr")
    ecr.create_repository(repositoryName="app")
    blobs = {"config": b'{"architecture": "amd64", "os": "linux"}', "layer": b"not looked into"}
    for blob in blobs.values():
        upload = ecr.initiate_layer_upload(repositoryName="app")["uploadId"]
        part = {"partFirstByte": 0, "partLastByte": len(blob) - 1, "layerPartBlob": blob}
        ecr.upload_layer_part(repositoryName="app", uploadId=upload, **part)
        digest = "sha256:" + hashlib.sha256(blob).hexdigest()
        ecr.complete_layer_upload(repositoryName="app", uploadId=upload, layerDigests=[digest])

    def described(blob, kind):
        digest = "sha256:" + hashlib.sha256(blobs[blob]).hexdigest()
        return {"mediaType": f"application/vnd.oci.image.{kind}", "size": len(blobs[blob]), "digest": digest}

    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("config", "config.v1+json"),
        "layers": [described("layer", "layer.v1.tar")],
    }
    image = ecr.put_image(repositoryName="app", imageManifest=json.dumps(manifest), imageTag="stable")[
        "image"
    ]
    digest = image["imageId"]["imageDigest"]
    configuration = {"RepositoryName": "app", "ImageTag": "stable"}
    source = action("Source", "Source", "ECR", configuration, outputs=["Code"], namespace="Image")
    structure = declaration(
        "web", delivery, ("Source", source), ("Deploy", s3_deploy(key="#{Image.ImageTag}"))
    )
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    execution = ended(engine, "web", first(engine, "web"))
    assert (execution["status"], execution["artifactRevisions"][0]["revisionId"]) == ("Succeeded", digest)
    body = engine.client("s3").get_object(Bucket=BUCKET, Key="stable/imageDetail.json")["Body"].read()
    uri = f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com/app@{digest}"
    detail = json.loads(body)
    assert (detail["ImageURI"], detail["ImageTags"], detail["Version"]) == (uri, ["stable"], "1.0")
    assert int(detail["ImageSizeInBytes"]) > 0
    assert re.fullmatch(r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}", detail["ImagePushedAt"])
    start(engine, "web", sourceRevisions=[
        {"actionName": "Source", "revisionType": "IMAGE_DIGEST", "revisionValue": "sha256:" + "0" * 64}
    ])  # fmt: skip
    newest = engine.client("codepipeline").list_pipeline_executions(pipelineName="web")[
        "pipelineExecutionSummaries"
    ][0]
    status, messages = outcome(engine, "web", newest["pipelineExecutionId"])
    assert status == "Failed" and "ImageNotFoundException" in messages[0]


def test_a_stack_that_failed_is_replaced(engine, delivery):
    def template(document):
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
        return json.dumps({"Resources": {"Role": role}, "Outputs": {"Name": {"Value": {"Ref": "Role"}}}})

    put(engine, template("no"), "template.json")
    settings = {"TemplatePath": "Code::template.json", "Capabilities": "CAPABILITY_IAM"}
    deploy = stack("Deploy", "REPLACE_ON_FAILURE", OutputFileName="out.json", **settings)
    deploy["outputArtifacts"] = [{"name": "Made"}]
    keep = s3_deploy() | {"inputArtifacts": [{"name": "Made"}]}
    status, messages = outcome(engine, "web", create(engine, delivery, ("Stack", deploy), ("Keep", keep)), 60)
    assert status == "Failed" and "Role" in messages[0]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    put(engine, template(trust), "template.json")
    assert outcome(engine, "web", start(engine, "web"), 60) == ("Succeeded", [])
    made = json.loads(engine.client("s3").get_object(Bucket=BUCKET, Key="site/out.json")["Body"].read())
    assert engine.client("iam").get_role(RoleName=made["Name"])

    put(engine, template("no again"), "template.json")
    assert outcome(engine, "web", start(engine, "web"), 60)[0] == "Failed"
    put(engine, template(trust) + " ", "template.json")
    assert outcome(engine, "web", start(engine, "web"), 60) == ("Succeeded", []), (
        "what an update rolled back is whole"
    )
    assert engine.client("iam").get_role(RoleName=made["Name"])


def test_a_change_set_without_changes_is_executed_as_nothing(engine, delivery):
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    put(engine, json.dumps(template), "template.json")
    change = stack("Change", "CHANGE_SET_REPLACE", ChangeSetName="next", TemplatePath="Code::template.json")
    execute = stack("Execute", "CHANGE_SET_EXECUTE", 2, ChangeSetName="next")
    id = create(engine, delivery, ("Stack", change, execute))
    assert outcome(engine, "web", id, 60) == ("Succeeded", [])
    assert outcome(engine, "web", start(engine, "web"), 60) == ("Succeeded", [])
    events = engine.client("cloudformation").describe_stack_events(StackName="stack")["StackEvents"]
    assert "UPDATE_COMPLETE" not in {one["ResourceStatus"] for one in events}


def test_a_branch_that_was_deleted_fails_in_the_source_action(engine, delivery):
    id = create(engine, delivery, ("Deploy", s3_deploy()))
    assert ended(engine, "web", id)["status"] == "Succeeded"
    codecommit = engine.client("codecommit")
    codecommit.create_branch(
        repositoryName="app", branchName="other",
        commitId=codecommit.get_branch(repositoryName="app", branchName="main")["branch"]["commitId"],
    )  # fmt: skip
    codecommit.update_default_branch(repositoryName="app", defaultBranchName="other")
    codecommit.delete_branch(repositoryName="app", branchName="main")
    status, messages = outcome(engine, "web", start(engine, "web"))
    assert status == "Failed" and "BranchDoesNotExistException" in messages[0]


def test_settings_that_variables_make_too_long_fail_the_action(engine, delivery):
    review = approval()
    review["configuration"] = dict.fromkeys(("CustomData", "ExternalEntityLink"), "#{variables.l}" * 70)
    long = {"name": "l", "defaultValue": "x" * 1000}
    id = create(engine, delivery, ("Review", review), pipelineType="V2", variables=[long])
    status, (message,) = outcome(engine, "web", id)
    assert status == "Failed" and "have 140028 bytes in all, more than 102400" in message
