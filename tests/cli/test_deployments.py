"""`homeport status`, `homeport rollback` and the console while a pipeline deploys to a service whose traffic shifts."""

import json
import re

import pytest

from tests.cli.browser import Browser, form
from tests.cli.program import homeport
from tests.codepipeline.pipelines import BUCKET, action, codecommit_source, declaration, first, outcome, put
from tests.codepipeline.pipelines import role as pipeline_role
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import image, web  # noqa: F401
from tests.ecs.shifting import Shop, pause


@pytest.fixture
def shop(engine):
    engine.client("ecs").create_cluster()
    shop = Shop(engine)
    shop.serve("CANARY", canaryConfiguration={"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 0})
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, json.dumps([{"name": "app", "imageUri": IMAGE}]), "imagedefinitions.json")
    return shop


def test_status_tells_what_a_deployment_waits_for_and_rollback_takes_it_back(shop: Shop, browser: Browser):
    engine = shop.engine
    waits = {"lifecycleHooks": [pause("PRE_PRODUCTION_TRAFFIC_SHIFT")]}
    shop.ecs.api.update_service(service="web", deploymentConfiguration=waits)
    deploy = action("Deploy", "Deploy", "ECS", {"ClusterName": "default", "ServiceName": "web"}, ["Code"])
    stages = [("Source", codecommit_source()), ("Deploy", deploy)]
    engine.client("codepipeline").create_pipeline(pipeline=declaration("app", pipeline_role(engine), *stages))
    page = browser.stream("/pipelines/app/events")
    asked = page.until("services", lambda shown: "do/go-on" in shown)
    assert "It waits for your answer" in asked
    assert browser.do("go-on", **form(asked, "go-on")) == {"said": "The deployment goes on."}
    shifted = page.until("services", lambda shown: "old version 80 percent, new version 20 percent" in shown)
    assert {'<li class="now" aria-current="step">Traffic</li>', '<span class="chip old">old</span>'} <= set(
        re.findall(r'<li class="now".*?</li>|<span class="chip old">.*?</span>', shifted)
    )
    asked = {"deployment": shop.deployment()["serviceDeploymentArn"], "controller": "ECS"}
    assert form(shifted, "take-back") == asked
    shop.until_stage("PRE_PRODUCTION_TRAFFIC_SHIFT")

    told = homeport(engine, "status", "app")
    assert re.search(r"web +CANARY +PRE_PRODUCTION_TRAFFIC_SHIFT", told)
    assert "new 20 %, old 80 %; test 100 %" in told
    assert re.search(r"your answer; without one it goes back at \d{4}-\d\d-\d\d ", told)  # tomorrow
    assert re.search(r"go on +aws ecs continue-service-deployment --service-deployment-arn", told)
    under_way = json.loads(homeport(engine, "status", "app", "--output", "json"))["deployments"]
    assert (under_way[0]["production"], under_way[0]["strategy"]) == (20.0, "CANARY")

    assert "goes back" in homeport(engine, "rollback", "app")
    status, failures = outcome(engine, "app", first(engine, "app"), 60)
    assert status == "Failed"
    assert "The service deployment was stopped by the user." in failures[0]
    shop.until_status("ROLLBACK_SUCCESSFUL")
    assert json.loads(homeport(engine, "status", "app", "--output", "json"))["deployments"] == []

    shop.deploy(web("v2"), lifecycleHooks=[], bakeTimeInMinutes=5)
    shop.until_stage("BAKE_TIME")
    told = homeport(engine, "status", "app")
    assert re.search(r"web +CANARY +BAKE_TIME", told)
    assert "new 100 %, old 0 %" in told and "the bake time, until" in told
    assert re.search(r"go back +homeport rollback", told)
    assert "the stage BAKE_TIME goes back" in homeport(engine, "rollback", "app")
    shop.until_status("ROLLBACK_SUCCESSFUL")
