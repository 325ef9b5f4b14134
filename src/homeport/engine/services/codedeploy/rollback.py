"""When a deployment fails or is stopped: what is decided then, and the way back to the original task set.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html"""

from __future__ import annotations

from functools import partial
from typing import Any

from homeport.engine.services.codedeploy import notifications, traffic
from homeport.engine.services.codedeploy import task_sets as sets
from homeport.engine.services.codedeploy.deploying import Deploying
from homeport.engine.services.codedeploy.failure import REQUEST, DeploymentFailed
from homeport.engine.services.codedeploy.naming import deployment_id
from homeport.engine.services.codedeploy.tables import DEPLOYMENTS
from homeport.engine.services.codedeploy.targets import new_target, task_sets_info

Body = dict[str, Any]

_TOLD = {"Failed": "DeploymentFailure", "Stopped": "DeploymentStop"}


def decide(deploying: Deploying, failed: DeploymentFailed) -> None:
    """Write down how the deployment ends, so that a restart knows, and whether it is rolled back."""

    def apply(row: Body) -> None:
        row["decision"] = {
            "code": failed.code,
            "message": failed.message,
            "status": failed.status,
            "rollback": deployment_id() if _wanted(row, failed.event) else None,
        }

    deploying.change(apply)


def _wanted(row: Body, event: str) -> bool:
    if event == REQUEST and row["stop"] and row["stop"]["rollback"] is not None:
        asked: bool = row["stop"]["rollback"]
        return asked
    configuration = row["info"]["autoRollbackConfiguration"]
    return bool(configuration.get("enabled")) and event in configuration.get("events", [])


async def carry_out(deploying: Deploying) -> None:
    """Bring the traffic back if that was decided, and end the deployment."""
    decision = deploying.row["decision"]
    failed = DeploymentFailed(decision["code"], decision["message"], decision["status"])
    trouble = None
    if decision["rollback"]:
        try:
            await _back(deploying)
        except DeploymentFailed as error:
            trouble = error
    x = deploying.x
    info = await x.step("last look", lambda: task_sets_info(deploying.ctx, deploying.row))
    if "end" not in deploying.row["done"]:
        end(deploying, failed, info, trouble)
    await x.step(
        "failure told", lambda: notifications.publish(deploying.ctx, deploying.row, _TOLD[failed.status])
    )
    if decision["rollback"]:
        await x.step("rollback told", lambda: _tell_rollback(deploying, decision["rollback"]))


async def _back(deploying: Deploying) -> None:
    """First the users' traffic, then all the rest. Raises DeploymentFailed."""
    target = deploying.row["target"]
    if not target["attached"]:
        return
    found = target["found"]
    blue, green = found["blue"], found["green"]
    shift = partial(traffic.shift, deploying, blue=blue["group"], green=green["group"], percent=0)
    await deploying.x.step(
        "traffic back",
        lambda: shift(traffic.production(deploying)),
        lambda _: deploying.change(lambda row: row["target"].update(percent=0)),
    )
    if listener := traffic.test(deploying):
        await deploying.x.step("test traffic back", lambda: shift(listener))
    await deploying.x.step("primary back", lambda: sets.make_primary(deploying, blue["taskSet"]))
    if green.get("taskSet"):
        await deploying.x.step("task set gone", lambda: sets.delete(deploying, [green["taskSet"]]))


def end(
    deploying: Deploying,
    failed: DeploymentFailed,
    info: list[Body] | None = None,
    trouble: DeploymentFailed | None = None,
) -> None:
    """Write the end of the deployment, and the rollback deployment when there is one."""
    now = deploying.ctx.now()

    def apply(row: Body) -> None:
        row["info"] |= {
            "status": failed.status,
            "completeTime": now,
            "errorInformation": {"code": failed.code, "message": failed.message},
        }
        row["target"] |= {"status": "Failed", "taskSetsInfo": info or []}
        row["done"] = [*row["done"], "end"]
        _end_events(row, failed, now)
        if id := (row["decision"] or {}).get("rollback"):
            _record_rollback(deploying, row, id, trouble)
        notifications.emit(deploying.ctx, row)

    deploying.change(apply)


def _end_events(row: Body, failed: DeploymentFailed, now: float) -> None:
    for event in row["target"]["lifecycleEvents"]:
        if event["status"] == "InProgress":
            event |= {"status": "Failed" if failed.status == "Failed" else "Skipped", "endTime": now}
            event["diagnostics"] = {"errorCode": "UnknownError", "message": failed.message}
        elif event["status"] == "Pending":
            event["status"] = "Skipped"


def _record_rollback(deploying: Deploying, row: Body, id: str, trouble: DeploymentFailed | None) -> None:
    """The deployment that stands for the way back: it has been gone already."""
    ctx, now = deploying.ctx, deploying.ctx.now()
    outcome = f"could not be completed: {trouble.message}" if trouble else "has succeeded."
    row["info"]["rollbackInfo"] = {
        "rollbackDeploymentId": id,
        "rollbackMessage": f"Deployment {row['deploymentId']} was rolled back by deployment {id}, which {outcome}",
    }
    previous = row["info"].get("previousRevision")
    kept = {
        member: value
        for member, value in row["info"].items()
        if member not in ("revision", "previousRevision", "errorInformation", "description", "startTime")
    }
    info: Body = {
        **kept,
        "deploymentId": id,
        "creator": "codeDeployRollback",
        "createTime": now,
        "startTime": now,
        "completeTime": now,
        "status": "Failed" if trouble else "Succeeded",
        "rollbackInfo": {"rollbackTriggeringDeploymentId": row["deploymentId"]},
        "instanceTerminationWaitTimeStarted": False,
    }
    if previous:
        info["revision"] = previous
    if trouble:
        info["errorInformation"] = {"code": trouble.code, "message": trouble.message}
    target = new_target(("AllowTraffic",))
    target |= {"status": info["status"], "lastUpdatedAt": now, "taskSetsInfo": row["target"]["taskSetsInfo"]}
    target["lifecycleEvents"][0] |= {"status": info["status"], "startTime": now, "endTime": now}
    made = {**row, "deploymentId": id, "info": info, "target": target, "status": info["status"]}
    DEPLOYMENTS.put(ctx, made | {"decision": None, "hooks": {}, "waits": {}})
    notifications.emit(ctx, made)


async def _tell_rollback(deploying: Deploying, id: str) -> None:
    row = DEPLOYMENTS.get(deploying.ctx, id)
    if row is not None:
        await notifications.publish(deploying.ctx, row, "DeploymentRollback")
