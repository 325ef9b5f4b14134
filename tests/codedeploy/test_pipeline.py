"""The action CodeDeployToECS of a pipeline."""

import json
import re
from typing import Any

from tests.cli.browser import Browser, form
from tests.cli.program import homeport
from tests.codedeploy.conftest import Shop
from tests.codepipeline.pipelines import BUCKET, action, declaration, first, outcome, role, start, zipped
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import web
from tests.waiting import until

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


def make_pipeline(shop: Shop) -> str:
    """Make the pipeline `web`, which releases v2; the id of its first execution."""
    engine = shop.engine
    s3 = engine.client("s3")
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
    engine.client("codepipeline").create_pipeline(pipeline=pipeline)
    return first(engine, "web")


def test_a_pipeline_deploys_by_codedeploy_and_fails_with_its_reason(shop: Shop):
    engine = shop.engine
    s3, codepipeline = engine.client("s3"), engine.client("codepipeline")
    id = make_pipeline(shop)
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


def test_status_tells_where_codedeploy_is_and_rollback_takes_it_back(shop: Shop, browser: Browser):
    ready = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 60}
    blue_green = shop.settings()["blueGreenDeploymentConfiguration"] | {"deploymentReadyOption": ready}
    shop.api.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="web",
        blueGreenDeploymentConfiguration=blue_green,
    )
    id = make_pipeline(shop)

    told = until(lambda: homeport(shop.engine, "status", "web"), lambda told: "your answer" in told)
    assert re.search(r"web +ECSAllAtOnce +\w+ +in progress", told)
    assert "new tasks   1 of 1" in told
    assert "new 0 %, old 100 %" in told
    assert "without one it stops after 60 minutes" in told
    assert "--deployment-wait-type READY_WAIT" in told

    page = browser.stream("/pipelines/web/events")
    asked = page.until("services", lambda shown: "do/take-back" in shown)
    assert "old version 100 percent, new version 0 percent" in asked
    assert re.search(r'<li class="now" aria-current="step">(Scale up|Test traffic)</li>', asked)

    assert form(asked, "take-back")["controller"] == "CODE_DEPLOY"

    assert "goes back" in homeport(shop.engine, "rollback", "web")
    assert outcome(shop.engine, "web", id, 90)[0] == "Failed"
    until(lambda: shop.weights()["green"], lambda weight: weight == 0)
