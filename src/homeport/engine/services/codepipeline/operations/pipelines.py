"""Pipelines: create, read, update, delete, list.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codeconnections import watching
from homeport.engine.services.codepipeline import conditions, git_sources, polling, starting, tables
from homeport.engine.services.codepipeline.action_execution import abandon
from homeport.engine.services.codepipeline.actions import PROVIDERS
from homeport.engine.services.codepipeline.declaration import actions_of, validate, without_secrets
from homeport.engine.services.codepipeline.rules import RULE_PROVIDERS
from homeport.engine.services.codepipeline.tables import (
    ACTIONS,
    EXECUTIONS,
    PIPELINES,
    RULES,
    STAGES,
    VERSIONS,
    Row,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_ROLES = {
    "pipeline.roleArn": "codepipeline.amazonaws.com",
    "pipeline.stages[].actions[].roleArn": "codepipeline.amazonaws.com",
    **{
        f"pipeline.stages[].{condition}.conditions[].rules[].roleArn": "codepipeline.amazonaws.com"
        for condition in ("beforeEntry", "onSuccess", "onFailure")
    },
}


@operation(pass_role=_ROLES)
async def create_pipeline(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a pipeline and start its first execution."""
    name = request["pipeline"]["name"]
    if PIPELINES.get(ctx, name):
        raise AwsError(
            "PipelineNameInUseException", f"A pipeline with the name '{name}' already exists in account"
        )
    declaration = validate(request["pipeline"], PROVIDERS, RULE_PROVIDERS, ctx.region) | {"version": 1}
    now = ctx.now()
    row = {
        "pipelineName": name,
        "version": 1,
        "created": now,
        "updated": now,
        "tags": {tag["key"]: tag["value"] for tag in request.get("tags", ())},
    }
    with ctx.store.transaction():
        PIPELINES.put(ctx, row)
        VERSIONS.put(ctx, {"pipelineName": name, "version": 1, "updated": now, "declaration": declaration})
        starting.start(ctx, name, {"triggerType": "CreatePipeline", "triggerDetail": ctx.principal.arn})
        _watch(ctx, declaration)
    return {"pipeline": _shown(declaration), "tags": request.get("tags", [])}


@operation(pass_role=_ROLES)
async def update_pipeline(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Write a new version; executions under way keep to theirs."""
    name = request["pipeline"]["name"]
    row = tables.pipeline(ctx, name)
    before = tables.declaration(ctx, name, row["version"])
    declaration = validate(_with_secrets(request["pipeline"], before), PROVIDERS, RULE_PROVIDERS, ctx.region)
    row |= {"version": row["version"] + 1, "updated": ctx.now()}
    declaration["version"] = row["version"]
    with ctx.store.transaction():
        PIPELINES.put(ctx, row)
        version = {"pipelineName": name, "version": row["version"], "updated": row["updated"]}
        VERSIONS.put(ctx, {**version, "declaration": declaration})
        _watch(ctx, declaration)
    return {"pipeline": _shown(declaration)}


@operation
async def get_pipeline(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The structure of a pipeline, in its newest or a given version."""
    row = tables.pipeline(ctx, request["name"])
    declaration = tables.declaration(ctx, row["pipelineName"], request.get("version") or row["version"])
    metadata = {
        "pipelineArn": ctx.arn(row["pipelineName"]),
        "created": row["created"],
        "updated": row["updated"],
    }
    return {"pipeline": _shown(declaration), "metadata": metadata}


@operation
async def delete_pipeline(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a pipeline, its history, and what runs of it; deleting none is no error."""
    name = request["name"]
    with ctx.store.transaction():
        for execution in EXECUTIONS.list(ctx, name, underWay=1):
            conditions.abandon(ctx, execution, "The pipeline was deleted")
            for action in ACTIONS.list(ctx, name, pipelineExecutionId=execution["pipelineExecutionId"]):
                if action["status"] == "InProgress":
                    abandon(ctx, action, "The pipeline was deleted")
        for table in (EXECUTIONS, ACTIONS, RULES, STAGES, VERSIONS, PIPELINES):
            ctx.store.execute(
                f"DELETE FROM {table.name} WHERE account = ? AND region = ? AND pipelineName = ?",
                *ctx.scope,
                name,
            )
    return {}


@operation
async def list_pipelines(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All pipelines of the region."""
    rows, token = page(
        PIPELINES.list(ctx),
        request.get("maxResults") or 1000,
        request.get("nextToken"),
        key=lambda row: row["pipelineName"],
    )
    return {"pipelines": [_summary(ctx, row) for row in rows], "nextToken": token}


def _watch(ctx: Context, declaration: Row) -> None:
    """Have the pipeline's sources looked at, where no event tells of their changes."""
    ctx.wake(polling.NAME, declaration["name"])
    for action in git_sources.sources(declaration):
        arn = action["configuration"]["ConnectionArn"]
        own = ctx.engine.context("codeconnections", ctx.scope)
        watching.watch(own, arn.rpartition("/")[2], action["configuration"]["FullRepositoryId"])


def _summary(ctx: Context, row: Row) -> Row:
    declaration = tables.declaration(ctx, row["pipelineName"], row["version"])
    return {
        "name": row["pipelineName"],
        "version": row["version"],
        "pipelineType": declaration["pipelineType"],
        "executionMode": declaration["executionMode"],
        "created": row["created"],
        "updated": row["updated"],
    }


def _shown(declaration: Row) -> Row:
    stages = [
        {
            **stage,
            "actions": [
                {**action, "configuration": without_secrets(action, PROVIDERS)} for action in stage["actions"]
            ],
        }
        for stage in declaration["stages"]
    ]
    return {**declaration, "stages": stages}


def _with_secrets(given: Row, before: Row) -> Row:
    """Secrets that come back as the asterisks that GetPipeline shows keep their value."""
    known = {(stage["name"], action["name"]): action["configuration"] for stage, action in actions_of(before)}
    stages = []
    for stage in given["stages"]:
        actions = []
        for action in stage["actions"]:
            old = known.get((stage["name"], action["name"]), {})
            configuration = {
                key: old.get(key, value) if value == "****" else value
                for key, value in action.get("configuration", {}).items()
            }
            actions.append({**action, "configuration": configuration})
        stages.append({**stage, "actions": actions})
    return {**given, "stages": stages}
