"""Protecting tasks of services from being stopped by scale-in and by deployments.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.names import check_count, find_cluster, task_key
from homeport.engine.services.ecs.service_rows import alive
from homeport.engine.services.ecs.tables import SERVICES, TASKS
from homeport.engine.services.ecs.task_rows import change, protected
from homeport.engine.services.ecs.task_rows import task_key as key_of
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_MINUTES = 120
_MOST_MINUTES = 2880
_MOST_UPDATED = 10
_MOST_SHOWN = 100


@operation
async def update_task_protection(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateTaskProtection.html"""
    minutes = request.get("expiresInMinutes", _MINUTES)
    if not 1 <= minutes <= _MOST_MINUTES:
        raise AwsError(
            "InvalidParameterException", f"expiresInMinutes must be between 1 and {_MOST_MINUTES}."
        )
    found, failures = _find(ctx, request, _MOST_UPDATED)
    until = ctx.now() + minutes * 60 if request["protectionEnabled"] else None
    shown = []
    for row in found:
        with ctx.store.transaction():
            if until and _blocked(ctx, row):
                failures.append(
                    {
                        "arn": row["task"]["taskArn"],
                        "reason": "DEPLOYMENT_BLOCKED",
                        "detail": "The service has more protected tasks than its desired count of tasks.",
                    }
                )
                continue
            shown.append(
                _shown(ctx, change(ctx, key_of(row), lambda fresh: fresh.update(protectedUntil=until)))
            )
    return {"protectedTasks": shown, "failures": failures}


@operation
async def get_task_protection(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_GetTaskProtection.html"""
    found, failures = _find(ctx, request, _MOST_SHOWN)
    return {"protectedTasks": [_shown(ctx, row) for row in found], "failures": failures}


def _find(ctx: Context, request: Body, most: int) -> tuple[list[Body], list[Body]]:
    """The tasks of services that are named, and the failures of the others."""
    find_cluster(ctx, request.get("cluster"))
    named = request.get("tasks") or []
    check_count("Tasks", named, most)
    found, failures = [], []
    for each in named:
        key = task_key(request.get("cluster"), each)
        arn = each if each.startswith("arn:") else ctx.arn(f"task/{key[0]}/{key[1]}")
        row = TASKS.get(ctx, *key)
        if row is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        elif not row["serviceName"] or row["desiredStatus"] == "STOPPED":
            failures.append({"arn": arn, "reason": "TASK_NOT_VALID"})
        else:
            found.append(row)
    return found, failures


def _blocked(ctx: Context, row: Body) -> bool:
    service = SERVICES.get(ctx, row["clusterName"], row["serviceName"])
    if service is None or protected(row, ctx.now()):
        return False
    kept = sum(
        protected(each, ctx.now()) for each in alive(ctx, service) if each["desiredStatus"] == "RUNNING"
    )
    return bool(kept > service["desiredCount"])


def _shown(ctx: Context, row: Body) -> Body:
    shown = {"taskArn": row["task"]["taskArn"], "protectionEnabled": protected(row, ctx.now())}
    return shown | ({"expirationDate": row["protectedUntil"]} if shown["protectionEnabled"] else {})
