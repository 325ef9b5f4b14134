"""What AWS keeps for ninety days only is not kept for ever."""

import json
import time

from homeport.pytest_plugin import RunningEngine
from tests.ecs.conftest import Ecs
from tests.waiting import until

STACK = json.dumps({"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}}})


def test_deleted_stacks_and_service_deployments_are_kept_for_ninety_days(own_engine: RunningEngine):
    own_engine.start()
    ecs = Ecs(own_engine)
    ecs.api.create_cluster()
    definition = ecs.define("exec sleep 600")
    ecs.serve(definition, 0)
    ecs.until_stable()
    ecs.api.update_service(service="web", forceNewDeployment=True)
    ecs.until_stable()
    first, second = deployments(ecs)
    passing_stack(own_engine, "one")

    own_engine.stop()
    long_ago = time.time() - 100 * 24 * 3600
    own_engine.start(HOMEPORT_CLOCK_SINCE=str(long_ago), HOMEPORT_CLOCK_SPEED="2")
    ecs = Ecs(own_engine)
    ecs.api.update_service(service="web", forceNewDeployment=True)
    passing_stack(own_engine, "two")

    [third] = deployments(ecs)
    assert third not in (first, second)
    ecs.until_stable()
    stacks = own_engine.client("cloudformation").list_stacks()["StackSummaries"]
    assert [stack["StackName"] for stack in stacks] == ["two"]


def deployments(ecs: Ecs) -> list[str]:
    found = ecs.api.list_service_deployments(service=ecs.service()["serviceArn"])["serviceDeployments"]
    return [each["serviceDeploymentArn"] for each in found]


def passing_stack(engine: RunningEngine, name: str) -> None:
    """A stack that is made and deleted."""
    cloudformation = engine.client("cloudformation")
    id = cloudformation.create_stack(StackName=name, TemplateBody=STACK)["StackId"]

    def status() -> str:
        return cloudformation.describe_stacks(StackName=id)["Stacks"][0]["StackStatus"]

    until(status, lambda found: found == "CREATE_COMPLETE")
    cloudformation.delete_stack(StackName=id)
    until(status, lambda found: found == "DELETE_COMPLETE")
