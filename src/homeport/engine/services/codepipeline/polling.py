"""PollForSourceChanges: pipelines without event rules look at their sources themselves.

https://docs.aws.amazon.com/codepipeline/latest/userguide/triggering.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.codepipeline import starting, tables
from homeport.engine.services.codepipeline.tables import PIPELINES, Row
from homeport.engine.services.context import Client, Context
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

NAME = "codepipeline.polling"
EVERY = 30.0
"""Seconds between two looks."""


async def _reconcile(ctx: Context, pipeline_name: str) -> float | None:
    pipeline = PIPELINES.get(ctx, pipeline_name)
    if pipeline is None:
        return None
    declaration = tables.declaration(ctx, pipeline_name, pipeline["version"])
    polled = [action for action in declaration["stages"][0]["actions"] if _polls(action)]
    if not polled:
        return None
    seen: dict[str, str] = {}
    for action in polled:
        try:
            seen[action["name"]] = await _revision(ctx, declaration, action)
        except AwsError:
            # The role may not look, or there is nothing yet: the next execution's source action says so.
            continue
    with ctx.store.transaction():
        pipeline = PIPELINES.get(ctx, pipeline_name)
        if pipeline is None:
            return None
        known = pipeline.get("polled", {})
        changed = [name for name, revision in seen.items() if known.get(name) not in (None, revision)]
        if known | seen != known:
            PIPELINES.put(ctx, pipeline | {"polled": known | seen})
        if changed:
            trigger = {"triggerType": "PollForSourceChanges", "triggerDetail": ", ".join(changed)}
            starting.start(ctx, pipeline_name, trigger)
    return EVERY


def _polls(action: Row) -> bool:
    provider = action["actionTypeId"]["provider"]
    default = "true" if provider in ("CodeCommit", "S3") else "false"
    return str(action["configuration"].get("PollForSourceChanges", default)).lower() == "true"


async def _revision(ctx: Context, declaration: Row, action: Row) -> str:
    configuration = action["configuration"]
    role, region = action.get("roleArn") or declaration["roleArn"], action.get("region")

    def client(service: str) -> Client:
        return ctx.client(service, role=role, region=region)

    if action["actionTypeId"]["provider"] == "S3":
        found = await client("s3").head_object(
            Bucket=configuration["S3Bucket"], Key=configuration["S3ObjectKey"]
        )
        return found.get("VersionId") or found["ETag"]
    branch = await client("codecommit").get_branch(
        repositoryName=configuration["RepositoryName"], branchName=configuration["BranchName"]
    )
    return branch["branch"]["commitId"]


def _keys(engine: Any) -> Iterable[tuple[Scope, str]]:
    return [(scope, row["pipelineName"]) for scope, row in PIPELINES.everywhere(engine.store)]


RECONCILER = Reconciler(NAME, _keys, _reconcile)
