"""History: action executions and rule executions.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.actions import PROVIDERS
from homeport.engine.services.codepipeline.declaration import without_secrets
from homeport.engine.services.codepipeline.tables import ACTIONS, RULES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Table


@operation
async def list_action_executions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Action executions, newest first, of the pipeline or of one of its executions."""
    rows, token = _page(ctx, ACTIONS, request)
    return {"actionExecutionDetails": [_action(row) for row in rows], "nextToken": token}


@operation
async def list_rule_executions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Rule executions of stage conditions, newest first."""
    rows, token = _page(ctx, RULES, request)
    return {"ruleExecutionDetails": [_rule(row) for row in rows], "nextToken": token}


def _page(ctx: Context, table: Table, request: dict[str, Any]) -> tuple[list[Row], str | None]:
    name = request["pipelineName"]
    tables.pipeline(ctx, name)
    wanted = request.get("filter", {})
    latest = wanted.get("latestInPipelineExecution")
    id = latest["pipelineExecutionId"] if latest else wanted.get("pipelineExecutionId")
    if id:
        tables.execution(ctx, name, id)
    equals = {"pipelineExecutionId": id} if id else {}
    size, token = request.get("maxResults") or 100, request.get("nextToken")
    enough = None if latest or token else size + 1
    rows = table.list(ctx, name, last_first=True, limit=enough, **equals)
    if latest and latest.get("startTimeRange", "Latest") == "Latest":
        rows = _newest_of_each(rows)
    return page(rows, size, token, key=lambda row: -row["sequence"])


def _newest_of_each(rows: list[Row]) -> list[Row]:
    seen: set[tuple[str, str]] = set()
    newest = []
    for row in rows:
        key = (row["stageName"], row.get("actionName") or row["ruleName"])
        if key not in seen:
            seen.add(key)
            newest.append(row)
    return newest


def _action(row: Row) -> Row:
    declared = row["declaration"]
    shown = without_secrets(declared, PROVIDERS)
    resolved = row.get("resolvedConfiguration", {})
    hidden = {key: shown[key] for key, value in shown.items() if value != declared["configuration"][key]}
    given = {
        "actionTypeId": declared["actionTypeId"],
        "configuration": shown,
        "resolvedConfiguration": {**resolved, **hidden},
        "region": row["region"],
        "inputArtifacts": row.get("inputs", []),
    }
    for member in ("roleArn", "namespace"):
        if declared.get(member):
            given[member] = declared[member]
    detail = _common(row, "actionExecutionId") | {"actionName": row["actionName"], "input": given}
    output: Row = {
        "outputArtifacts": row.get("outputs", []),
        "executionResult": _result(row),
        "outputVariables": row.get("outputVariables", {}),
    }
    if approval := row.get("approval"):
        detail["updatedBy"] = approval["by"]
    return detail | {"output": output}


def _rule(row: Row) -> Row:
    declared = row["declaration"]
    given = {
        "ruleTypeId": declared["ruleTypeId"],
        "configuration": declared.get("configuration", {}),
        "resolvedConfiguration": row.get("resolvedConfiguration", {}),
        "region": row["region"],
        "inputArtifacts": [],
    }
    if declared.get("roleArn"):
        given["roleArn"] = declared["roleArn"]
    detail = _common(row, "ruleExecutionId") | {"ruleName": row["ruleName"], "input": given}
    return detail | {"output": {"executionResult": _result(row)}}


def _common(row: Row, id: str) -> Row:
    members = (
        id,
        "pipelineExecutionId",
        "pipelineVersion",
        "stageName",
        "status",
        "startTime",
        "lastUpdateTime",
    )
    return {member: row[member] for member in members}


def _result(row: Row) -> Row:
    result: Row = {}
    for member, key in (
        ("externalExecutionId", "externalExecutionId"),
        ("externalExecutionSummary", "summary"),
        ("externalExecutionUrl", "externalExecutionUrl"),
        ("errorDetails", "errorDetails"),
        ("logStreamARN", "logStreamARN"),
    ):
        if row.get(key):
            result[member] = row[key]
    return result
