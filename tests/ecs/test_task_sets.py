"""Services whose tasks belong to task sets: the deployment controllers EXTERNAL and CODE_DEPLOY."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.ecs.conftest import NETWORK, Ecs, Site, until, web

SETTINGS = {"launchType": "FARGATE", "networkConfiguration": NETWORK}


def task_sets(ecs: Ecs) -> list[dict[str, Any]]:
    return ecs.api.describe_task_sets(cluster="default", service="web")["taskSets"]


def steady(ecs: Ecs, id: str) -> dict[str, Any]:
    return until(
        lambda: next(each for each in task_sets(ecs) if each["id"] == id),
        lambda each: each["stabilityStatus"] == "STEADY_STATE",
        60,
    )


def test_an_external_controller_moves_a_service_from_one_task_set_to_the_next(site: Site):
    ecs, api = site.ecs, site.ecs.api
    api.create_service(serviceName="web", desiredCount=2, deploymentController={"type": "EXTERNAL"})
    assert ecs.service()["taskSets"] == ecs.service()["deployments"] == []

    target = {"targetGroupArn": site.group, "containerName": "app", "containerPort": 8080}
    named = {"cluster": "default", "service": "web"}
    first = api.create_task_set(
        **named,
        taskDefinition=site.define(web("v1")),
        scale={"value": 100.0, "unit": "PERCENT"},
        loadBalancers=[target],
        externalId="release-1",
        **SETTINGS,
    )["taskSet"]
    assert (first["status"], first["computedDesiredCount"], first["externalId"]) == ("ACTIVE", 2, "release-1")
    assert first["taskSetArn"].endswith(f":task-set/default/web/{first['id']}")
    assert steady(ecs, first["id"])["runningCount"] == 2
    api.update_service_primary_task_set(**named, primaryTaskSet=first["id"])
    assert ecs.service()["taskDefinition"] == first["taskDefinition"]
    site.balancer.healthy(site.group)

    second = api.create_task_set(
        **named, taskDefinition=ecs.define("sleep 600"), scale={"unit": "PERCENT"}, **SETTINGS
    )["taskSet"]
    assert (second["computedDesiredCount"], second["scale"]["value"]) == (0, 0.0)
    grown = api.update_task_set(
        **named, taskSet=second["taskSetArn"], scale={"value": 40.0, "unit": "PERCENT"}
    )
    assert grown["taskSet"]["computedDesiredCount"] == 1
    assert grown["taskSet"]["stabilityStatus"] == "STABILIZING"
    steady(ecs, second["id"])
    api.update_service_primary_task_set(**named, primaryTaskSet=second["id"])
    assert [each["status"] for each in ecs.service()["taskSets"]] == ["PRIMARY", "ACTIVE"]
    with pytest.raises(ClientError, match="cannot be deleted while it is scaled above 0"):
        api.delete_task_set(**named, taskSet=first["id"])
    assert api.delete_task_set(**named, taskSet=first["id"], force=True)["taskSet"]["status"] == "DRAINING"
    until(lambda: task_sets(ecs), lambda sets: [each["id"] for each in sets] == [second["id"]])
    with pytest.raises(ClientError, match="TaskSetNotFoundException"):
        api.delete_task_set(**named, taskSet=first["id"], force=True)

    api.update_service(service="web", desiredCount=5)
    until(lambda: task_sets(ecs)[0], lambda task_set: task_set["runningCount"] == 2)
    assert any(f"(service web, taskSet {second['id']}) has started" in event for event in ecs.events())
    with pytest.raises(ClientError, match="Unable to update task definition on services with a EXTERNAL"):
        api.update_service(service="web", taskDefinition=first["taskDefinition"])
    api.delete_service(service="web", force=True)
    until(ecs.service, lambda service: service["status"] == "INACTIVE")


def test_a_service_of_codedeploy_is_born_with_a_primary_task_set(site: Site):
    ecs, api = site.ecs, site.ecs.api
    site.serve(site.define(web("v1")), deploymentController={"type": "CODE_DEPLOY"})
    task_set = ecs.service()["taskSets"][0]
    assert (task_set["status"], task_set["scale"]) == ("PRIMARY", {"value": 100.0, "unit": "PERCENT"})
    assert ecs.service()["deployments"] == []
    steady(ecs, task_set["id"])
    assert "(service web) has reached a steady state." in ecs.events()
    refused = {
        "Unable to update task definition": {"taskDefinition": site.define(web("v2"))},
        "Unable to update network parameters": {
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}
        },
        "Unable to update load balancers": {"loadBalancers": []},
        "Cannot force a new deployment": {"forceNewDeployment": True},
    }
    for message, change in refused.items():
        sentence = (
            f"{message} on services with a CODE_DEPLOY deployment controller. "
            "Use AWS CodeDeploy to trigger a new deployment."
        )
        with pytest.raises(ClientError) as error:
            api.update_service(service="web", **change)
        assert error.value.response["Error"]["Message"] == sentence
    assert api.update_service(service="web", desiredCount=2)["service"]["desiredCount"] == 2


def test_what_each_controller_refuses(site: Site):
    target = {"targetGroupArn": site.group, "containerName": "app", "containerPort": 8080}
    definition = site.define(web("v1"))
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    refused = {
        "DeploymentCircuitBreaker feature can only be enabled with ECS": (
            "CODE_DEPLOY",
            {"deploymentConfiguration": breaker},
        ),
        "DAEMON scheduling strategy is not supported": ("CODE_DEPLOY", {"schedulingStrategy": "DAEMON"}),
        "give them to CreateTaskSet": ("EXTERNAL", {}),
    }
    for message, (controller, members) in refused.items():
        with pytest.raises(ClientError, match=message):
            site.ecs.serve(
                definition, loadBalancers=[target], deploymentController={"type": controller}, **members
            )
    with pytest.raises(ClientError, match="needs exactly one load balancer"):
        site.ecs.serve(definition, deploymentController={"type": "CODE_DEPLOY"})
    site.serve(definition)
    with pytest.raises(ClientError, match="has the ECS deployment controller"):
        site.ecs.api.describe_task_sets(cluster="default", service="web")
