"""Accepting a build: from StartBuild, from a batch, from a webhook, from an automatic retry."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.execution import BUILD
from homeport.engine.services.codebuild.starting import new_build, repeated
from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


def launch(ctx: Context, request: dict[str, Any], initiator: str, **members: Any) -> Row:
    """The row of the accepted build, or of the one that the idempotency token has started before.

    Raises ResourceNotFoundException, InvalidInputException, AccountLimitExceededException."""
    if (same := repeated(ctx, request)) is not None:
        return same
    project = tables.project(ctx, request["projectName"])
    limit = project.get("concurrentBuildLimit")
    if limit is not None and "buildBatchArn" not in members:
        running = BUILDS.list(ctx, projectName=project["name"], buildStatus=IN_PROGRESS)
        if len(running) >= limit:
            raise AwsError(
                "AccountLimitExceededException",
                f"Cannot have more than {limit} active builds for the project {project['name']}",
            )
    with ctx.store.transaction():
        row = new_build(ctx, project, request, initiator)
        if (service := assuming_service(ctx)) != "codebuild":
            members |= {"_assumesAs": service}
        check_role(ctx, row["serviceRole"])
        if members:
            row |= members
            BUILDS.put(ctx, row)
        ctx.start(BUILD, row["id"], {})
    return row


def initiator(ctx: Context) -> str:
    """Who asks: a user's name, `role/session`, or `root`."""
    arn = ctx.principal.arn
    return arn.partition(":user/")[2] or arn.rpartition(":")[2].removeprefix("assumed-role/")


def assuming_service(ctx: Context) -> str:
    """Who assumes a build's role: CodePipeline's own builds act as the pipeline's role, which trusts CodePipeline."""
    arn = ctx.principal.arn
    return arn.removesuffix(".amazonaws.com") if ctx.principal.type == "Service" else "codebuild"


def check_role(ctx: Context, role: str) -> None:
    """Raises InvalidInputException for a role that cannot be assumed."""
    try:
        ctx.engine.identity.assume_for_service(role, f"{assuming_service(ctx)}.amazonaws.com", "check")
    except AwsError:
        raise AwsError(
            "InvalidInputException", f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}"
        ) from None
