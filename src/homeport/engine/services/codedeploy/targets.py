"""The target of a deployment: an ECS service, with its lifecycle events and task sets, or a stack.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ECSTarget.html
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CloudFormationTarget.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.tables import ENDED
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)


def new_target(events: tuple[str, ...] = EVENTS) -> Body:
    """The target part of a new deployment's row. `percent` is what the replacement task set gets of the traffic."""
    return {
        "status": "Pending",
        "lifecycleEvents": [{"lifecycleEventName": name, "status": "Pending"} for name in events],
        "found": None,
        "percent": 0,
        "attached": False,
        "taskSetsInfo": [],
    }


def target_id(row: Body) -> str:
    """`<cluster>:<service>`, or a stack's id."""
    if stack := row["info"].get("externalId"):
        return str(stack)
    service = row["group"]["ecsServices"][0]
    return f"{service['clusterName']}:{service['serviceName']}"


async def described(ctx: Context, row: Body) -> Body:
    """The target as AWS shows it."""
    target = row["target"]
    if "externalId" in row["info"]:
        return {"deploymentTargetType": "CloudFormationTarget", "cloudFormationTarget": _of_stack(row)}
    ended = row["info"]["status"] in ENDED
    service = row["group"]["ecsServices"][0]
    arn = ctx.arn(f"service/{service['clusterName']}/{service['serviceName']}", service="ecs")
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": row["deploymentId"],
            "targetId": target_id(row),
            "targetArn": arn,
            "lastUpdatedAt": target["lastUpdatedAt"],
            "lifecycleEvents": target["lifecycleEvents"],
            "status": target["status"],
            "taskSetsInfo": target["taskSetsInfo"] if ended else await task_sets_info(ctx, row),
        },
    }


def _of_stack(row: Body) -> Body:
    target = row["target"]
    return {
        "deploymentId": row["deploymentId"],
        "targetId": target_id(row),
        "lastUpdatedAt": target["lastUpdatedAt"],
        "lifecycleEvents": target["lifecycleEvents"],
        "status": target["status"],
        "resourceType": "AWS::ECS::Service",
        "targetVersionWeight": float(target["percent"]),
    }


async def task_sets_info(ctx: Context, row: Body) -> list[Body]:
    """How many tasks each of the two task sets has now, and how much of the traffic.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ECSTaskSet.html"""
    found = row["target"]["found"]
    if not found:
        return []
    service = row["group"]["ecsServices"][0]
    try:
        answer = await ctx.client("ecs", as_service=True).describe_services(
            cluster=service["clusterName"], services=[service["serviceName"]]
        )
    except AwsError:
        return []
    sets = {each["id"]: each for known in answer["services"] for each in known.get("taskSets", [])}
    percent = row["target"]["percent"]
    return [
        _shown(found[side], sets.get(found[side]["taskSet"], {}), label, weight)
        for side, label, weight in (("blue", "Blue", 100 - percent), ("green", "Green", percent))
        if found[side].get("taskSet")
    ]


def _shown(side: Body, task_set: Body, label: str, weight: int) -> Body:
    return {
        "identifer": side["taskSet"],
        "desiredCount": task_set.get("computedDesiredCount", 0),
        "pendingCount": task_set.get("pendingCount", 0),
        "runningCount": task_set.get("runningCount", 0),
        "status": task_set.get("status", "DRAINING"),
        "trafficWeight": float(weight),
        "targetGroup": {"name": side["name"]},
        "taskSetLabel": label,
    }
