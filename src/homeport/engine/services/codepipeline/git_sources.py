"""Pipelines whose source is a connection: which of them a change in a repository starts.

https://docs.aws.amazon.com/codepipeline/latest/userguide/triggers.html
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.engine.services.codeconnections.changes import Change, GitEvent, PullRequest, Push
from homeport.engine.services.codepipeline import starting, tables
from homeport.engine.services.codepipeline.tables import PIPELINES, Row
from homeport.engine.services.codepipeline.triggers import starts
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

PROVIDER = "CodeStarSourceConnection"


def start_for(ctx: Context, connection_id: str, change: Change) -> list[str]:
    """Start every pipeline that waits for the change, on its commit; returns their executions. Call inside a
    transaction. A pipeline that has no room is left out."""
    own = ctx.engine.context("codepipeline", ctx.scope)
    started = []
    for pipeline in PIPELINES.list(own):
        declaration = tables.declaration(own, pipeline["pipelineName"], pipeline["version"])
        for action in sources(declaration):
            arn, name = action["configuration"]["ConnectionArn"], action["configuration"]["FullRepositoryId"]
            if arn.rpartition("/")[2] != connection_id or name != change.repository:
                continue
            if not _wanted(declaration, action, change.event):
                continue
            overrides = _overrides(action["name"], change.event, change.commit)
            trigger = {"triggerType": "WebhookV2", "triggerDetail": arn}
            try:
                started.append(starting.start(own, pipeline["pipelineName"], trigger, overrides=overrides))
            except AwsError as error:
                if error.code != "ConcurrentPipelineExecutionsLimitExceededException":
                    raise
    return started


def sources(declaration: Row) -> Iterator[Row]:
    """The connection source actions of a pipeline."""
    for action in declaration["stages"][0]["actions"]:
        if action["actionTypeId"]["provider"] == PROVIDER:
            yield action


def _wanted(declaration: Row, action: Row, event: GitEvent) -> bool:
    filters = [
        one["gitConfiguration"]
        for one in declaration.get("triggers", ())
        if one["gitConfiguration"]["sourceActionName"] == action["name"]
    ]
    if filters:
        return any(starts(one, event) for one in filters)
    if str(action["configuration"].get("DetectChanges", "true")).lower() != "true":
        return False
    return isinstance(event, Push) and event.branch == action["configuration"]["BranchName"]


def _overrides(action_name: str, event: GitEvent, commit: str) -> list[Row]:
    branch = event.branch if isinstance(event, PullRequest | Push) else None
    overrides = [{"actionName": action_name, "revisionType": "COMMIT_ID", "revisionValue": commit}]
    if branch:
        overrides.append({"actionName": action_name, "revisionType": "BRANCH", "revisionValue": branch})
    return overrides
