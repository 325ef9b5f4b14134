"""The action CodeDeployToECS of a pipeline."""

import json
from typing import Any

from tests.codedeploy.conftest import Shop
from tests.codepipeline.pipelines import BUCKET, action, declaration, first, outcome, role, start, zipped
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import web

APPSPEC = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: "app", ContainerPort: 8080}
"""


def source(shop: Shop, script: str, image: str = IMAGE) -> None:
    """Put what the pipeline's source action takes."""
    definition = shop.ecs.api.describe_task_definition(taskDefinition=shop.define(script))["taskDefinition"]
    for member in (
        "taskDefinitionArn",
        "revision",
        "status",
        "registeredAt",
        "registeredBy",
        "compatibilities",
    ):
        definition.pop(member, None)
    definition["containerDefinitions"][0]["image"] = "<IMAGE1_NAME>"
    body = zipped(
        taskdef_json=json.dumps(definition, default=str),
        appspec_yaml=APPSPEC,
        imageDetail_json=json.dumps({"ImageURI": image}),
    )
    shop.engine.client("s3").put_object(Bucket=BUCKET, Key="in.zip", Body=body)


def test_a_pipeline_deploys_by_codedeploy_and_fails_with_its_reason(shop: Shop):
    engine = shop.engine
    s3, codepipeline = engine.client("s3"), engine.client("codepipeline")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    source(shop, web("v2"))
    settings = {"S3Bucket": BUCKET, "S3ObjectKey": "in.zip", "PollForSourceChanges": "false"}
    take = action("Source", "Source", "S3", settings, outputs=["Code"])
    configuration: dict[str, Any] = {
        "ApplicationName": "shop",
        "DeploymentGroupName": "web",
        "TaskDefinitionTemplateArtifact": "Code",
        "AppSpecTemplateArtifact": "Code",
        "Image1ArtifactName": "Code",
        "Image1ContainerName": "IMAGE1_NAME",
    }
    deploy = action("Deploy", "Deploy", "CodeDeployToECS", configuration, inputs=["Code"])
    pipeline = declaration("web", role(engine), ("Source", take), ("Deploy", deploy))
    codepipeline.create_pipeline(pipeline=pipeline)
    id = first(engine, "web")
    assert outcome(engine, "web", id, 90) == ("Succeeded", [])
    actions = codepipeline.list_action_executions(pipelineName="web", filter={"pipelineExecutionId": id})
    result = actions["actionExecutionDetails"][0]["output"]
    deployment = result["executionResult"]["externalExecutionId"]
    assert result["outputVariables"] == {"DeploymentId": deployment}
    assert shop.info(deployment)["status"] == "Succeeded"
    assert shop.weights()["green"] == 100

    source(shop, "echo cannot open the database; exit 1")
    status, messages = outcome(engine, "web", start(engine, "web"), 90)
    assert status == "Failed"
    assert "its last lines: cannot open the database" in messages[0]
    assert "was rolled back by deployment d-" in messages[0]

    s3.put_object(Bucket=BUCKET, Key="in.zip", Body=zipped(appspec_yaml=APPSPEC))
    status, messages = outcome(engine, "web", start(engine, "web"))
    assert messages == [
        "Exception while trying to read the task definition artifact file from: Code. It has no file taskdef.json"
    ]
