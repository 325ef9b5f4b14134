"""What CloudFormation calls for the hook AWS::CodeDeploy::BlueGreen of its stacks, and nobody else.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/about-blue-green-deployments.html#blue-green-iam"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.configurations import checked_routing
from homeport.engine.services.codedeploy.coordination import COORDINATION
from homeport.engine.services.codedeploy.deploying import changed_topic
from homeport.engine.services.codedeploy.naming import deployment_id
from homeport.engine.services.codedeploy.tables import DEPLOYMENTS, ENDED, deployment, linked_to
from homeport.engine.services.codedeploy.targets import new_target
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_CODES = {"Stopped": "MANUAL_STOP", "Failed": "CLOUDFORMATION_STACK_FAILURE"}


@operation(pass_role={"serviceRoleArn": "codedeploy.amazonaws.com"})
async def create_cloud_formation_deployment(ctx: Context, request: Body) -> Body:
    """Begin a deployment that coordinates the update of a stack (`externalId`)."""
    _check_caller(ctx)
    routing = checked_routing(request["trafficRoutingConfig"])
    functions = request.get("lifecycleEventHooks", {})
    if functions and "serviceRoleArn" not in request:
        raise AwsError(
            "InvalidRoleException", "LifecycleEventHooks are invoked as the ServiceRole, which is missing."
        )
    minutes = request["terminationWaitTimeInMinutes"]
    blue = {"action": "TERMINATE", "terminationWaitTimeInMinutes": minutes}
    configuration = {"terminateBlueInstancesOnDeploymentSuccess": blue}
    id = deployment_id()
    row = {
        "deploymentId": id,
        "applicationName": "",
        "deploymentGroupName": "",
        "status": "Created",
        "info": {
            "deploymentId": id,
            "status": "Created",
            "createTime": ctx.now(),
            "creator": "CloudFormation",
            "externalId": request["externalId"],
            "ignoreApplicationStopFailures": False,
            "autoRollbackConfiguration": {"enabled": False},
            "updateOutdatedInstancesOnly": False,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "instanceTerminationWaitTimeStarted": False,
            "blueGreenDeploymentConfiguration": configuration,
            "deploymentStatusMessages": [],
            "computePlatform": "ECS",
        },
        "group": {
            "serviceRoleArn": request.get("serviceRoleArn"),
            "blueGreenDeploymentConfiguration": configuration,
        },
        "routing": routing,
        "functions": functions,
        "testTraffic": request.get("testTraffic", False),
        "alarms": {},
        "target": new_target() | {"lastUpdatedAt": ctx.now()},
        "hooks": {},
        "waits": {},
        "carriedOut": [],
        "stop": None,
        "decision": None,
        "done": [],
    }
    with ctx.store.transaction():
        DEPLOYMENTS.put(ctx, row)
        ctx.start(COORDINATION, id, {})
    return {"deploymentId": id}


@operation
async def update_cloud_formation_deployment(ctx: Context, request: Body) -> Body:
    """What CloudFormation has done (`lifecycleEventName`, `targetVersionWeight`), or that the update of the stack ends
    without the deployment (`status`, `message`)."""
    _check_caller(ctx)
    with ctx.store.transaction():
        row = deployment(ctx, request["deploymentId"])
        if row["status"] in ENDED:
            return {}
        if status := request.get("status"):
            row["stop"] = {"status": status, "code": _CODES[status], "message": request["message"]}
            ctx.request_stop(COORDINATION, row["deploymentId"], request["message"])
        else:
            row["carriedOut"].append([request["lifecycleEventName"], request["targetVersionWeight"]])
            ctx.notify(changed_topic(row["deploymentId"]))
        DEPLOYMENTS.put(ctx, row)
    return {}


@operation
async def delete_resources_by_external_id(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeleteResourcesByExternalId.html"""
    with ctx.store.transaction():
        for row in linked_to(ctx, request["externalId"]):
            if row["status"] in ENDED:
                DEPLOYMENTS.delete(ctx, row["deploymentId"])
    return {}


def _check_caller(ctx: Context) -> None:
    if ctx.call is None or ctx.call.invoked_by != "cloudformation.amazonaws.com":
        raise AwsError(
            "AccessDeniedException",
            "Only CloudFormation begins and ends deployments of stacks, for the hook AWS::CodeDeploy::BlueGreen.",
        )
