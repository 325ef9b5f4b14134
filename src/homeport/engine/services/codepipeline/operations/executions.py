"""Executions: start, stop, read, list.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline import events, scheduler, starting, tables
from homeport.engine.services.codepipeline.action_execution import abandon
from homeport.engine.services.codepipeline.board import ENDED
from homeport.engine.services.codepipeline.tables import ACTIONS, EXECUTIONS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def start_pipeline_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start an execution of the pipeline's newest version."""
    id = starting.start(
        ctx,
        request["name"],
        await _trigger(ctx, request["name"]),
        request.get("variables", ()),
        request.get("sourceRevisions", ()),
        request.get("clientRequestToken"),
    )
    return {"pipelineExecutionId": id}


async def _trigger(ctx: Context, pipeline_name: str) -> dict[str, str]:
    """Who starts. EventBridge calls with the role of a rule's target; the rule is shown when it can be told."""
    if ctx.call and ctx.call.invoked_by == "events.amazonaws.com":
        events = ctx.engine.context("codepipeline", ctx.scope).client("events", as_service=True)
        rules = (await events.list_rule_names_by_target(TargetArn=ctx.arn(pipeline_name)))["RuleNames"]
        detail = ctx.arn(f"rule/{rules[0]}", service="events") if len(rules) == 1 else ctx.principal.arn
        return {"triggerType": "CloudWatchEvent", "triggerDetail": detail}
    return {"triggerType": "StartPipelineExecution", "triggerDetail": ctx.principal.arn}


@operation
async def stop_pipeline_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Stop an execution: wait for the actions that run, or abandon them."""
    name, id = request["pipelineName"], request["pipelineExecutionId"]
    tables.pipeline(ctx, name)
    with ctx.store.transaction():
        execution = tables.execution(ctx, name, id)
        leave = bool(request.get("abandon"))
        if execution["status"] in ENDED:
            raise AwsError(
                "PipelineExecutionNotStoppableException",
                f"The pipeline execution '{id}' is {execution['status']} and cannot be stopped",
            )
        if execution["status"] == "Stopping" and not leave:
            raise AwsError(
                "DuplicatedStopRequestException",
                f"The pipeline execution '{id}' is already stopping: stop it with abandon, or wait for its actions",
            )
        execution["stop"] = {
            "reason": request.get("reason", ""),
            "abandon": leave,
            "by": ctx.principal.arn,
        }
        if execution["status"] != "Stopping":
            execution["status"] = "Stopping"
            events.pipeline_changed(ctx, execution, "STOPPING")
        stage = execution["stages"].get(execution["stage"], {})
        if leave and not execution["waiting"]:
            for action in ACTIONS.list(ctx, name, pipelineExecutionId=id):
                if action["status"] == "InProgress":
                    abandon(ctx, action, execution["stop"]["reason"] or "The execution was stopped")
                    events.action_changed(ctx, execution, action, "ABANDONED")
                    stage["actions"][action["actionName"]]["status"] = "Abandoned"
        elif stage.get("status") == "InProgress":
            stage["status"] = "Stopping"
        EXECUTIONS.put(ctx, execution)
        scheduler.advance(ctx, name)
    return {"pipelineExecutionId": id}


@operation
async def get_pipeline_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One execution with its artifacts' revisions, variables and trigger."""
    tables.pipeline(ctx, request["pipelineName"])
    row = tables.execution(ctx, request["pipelineName"], request["pipelineExecutionId"])
    revisions = [
        {
            "name": one["name"],
            "revisionId": one["revisionId"],
            "revisionSummary": one["revisionSummary"] or None,
            "revisionUrl": one["revisionUrl"] or None,
            "created": one["created"],
        }
        for one in row["revisions"]
    ]
    keys = ("pipelineName", "pipelineVersion", "pipelineExecutionId", "status", "statusSummary", "trigger")
    more = ("executionMode", "executionType", "rollbackMetadata", "variables")
    answer = {key: row[key] for key in (*keys, *more) if row.get(key)}
    return {"pipelineExecution": answer | {"artifactRevisions": [_given(one) for one in revisions]}}


@operation
async def list_pipeline_executions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The executions of a pipeline, newest first."""
    name = request["pipelineName"]
    tables.pipeline(ctx, name)
    size, token = request.get("maxResults") or 100, request.get("nextToken")
    succeeded = request.get("filter", {}).get("succeededInStage", {}).get("stageName")
    enough = None if succeeded or token else size + 1
    rows = EXECUTIONS.list(ctx, name, last_first=True, limit=enough)
    if succeeded:
        rows = [row for row in rows if row["stages"].get(succeeded, {}).get("status") == "Succeeded"]
    rows, token = page(rows, size, token, key=lambda row: -row["number"])
    return {"pipelineExecutionSummaries": [_summary(row) for row in rows], "nextToken": token}


def _summary(row: Row) -> Row:
    keys = ("pipelineExecutionId", "status", "statusSummary", "startTime", "lastUpdateTime", "trigger")
    more = ("executionMode", "executionType", "rollbackMetadata")
    summary = {key: row[key] for key in (*keys, *more) if row.get(key)}
    members = ("actionName", "revisionId", "revisionSummary", "revisionUrl")
    summary["sourceRevisions"] = [
        {key: one[key] for key in members if one.get(key)} for one in row["revisions"]
    ]
    if row.get("stop"):
        summary["stopTrigger"] = {"reason": row["stop"]["reason"]}
    return summary


def _given(members: Row) -> Row:
    return {key: value for key, value in members.items() if value is not None}
