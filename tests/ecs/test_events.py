"""What EventBridge is told of tasks and services, as in the documentation's examples.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html"""

import json
from typing import Any

from tests.ecs.conftest import Ecs
from tests.events.test_delivery import given_rule, messages
from tests.waiting import until


def test_a_service_that_starts_is_told_of(ecs: Ecs) -> None:
    given_rule(ecs.engine, "all", "/events/ecs", EventPattern=json.dumps({"source": ["aws.ecs"]}))
    definition = ecs.define("exec sleep 600")
    ecs.api.tag_resource(resourceArn=definition, tags=[{"key": "team", "value": "web"}])
    service = ecs.serve(definition, propagateTags="TASK_DEFINITION", enableECSManagedTags=True)
    ecs.until_stable()
    task = ecs.api.describe_tasks(tasks=[ecs.tasks()[0]["taskArn"]], include=["TAGS"])["tasks"][0]
    assert {tag["key"]: tag["value"] for tag in task["tags"]} == {
        "team": "web",
        "aws:ecs:clusterName": "default",
        "aws:ecs:serviceName": "web",
    }

    def told(**members: str) -> list[dict[str, Any]]:
        events = [json.loads(each) for each in messages(ecs.engine, "/events/ecs")]
        return [each for each in events if members.items() <= each["detail"].items()]

    steady = until(lambda: told(eventName="SERVICE_STEADY_STATE"), bool)[0]
    assert (steady["detail-type"], steady["resources"]) == ("ECS Service Action", [service["serviceArn"]])
    assert steady["detail"].keys() == {"eventType", "eventName", "clusterArn", "createdAt"}
    assert steady["detail"]["createdAt"].endswith("Z")
    id = ecs.service()["deployments"][0]["id"]
    for name, reason in (
        ("SERVICE_DEPLOYMENT_IN_PROGRESS", f"ECS deployment {id} in progress."),
        ("SERVICE_DEPLOYMENT_COMPLETED", f"ECS deployment {id} completed."),
    ):
        [event] = told(eventName=name)
        assert event["detail-type"] == "ECS Deployment State Change"
        assert (event["detail"]["deploymentId"], event["detail"]["reason"]) == (id, reason)
    running = told(lastStatus="RUNNING", desiredStatus="RUNNING")[0]["detail"]
    assert running["attachments"][0]["type"] == "eni"
    assert task["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert running["startedAt"].endswith("Z") and running["updatedAt"].endswith("Z")
    assert running["startedBy"] == id and running["version"] >= 4
