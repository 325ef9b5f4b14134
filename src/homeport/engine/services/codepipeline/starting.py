"""Starting an execution: by a caller, by an event rule, by polling, by a trigger.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html
"""

from __future__ import annotations

from collections.abc import Sequence

from homeport.engine.services.codepipeline import scheduler
from homeport.engine.services.codepipeline.board import Board
from homeport.engine.services.codepipeline.modes import MAXIMUM_EXECUTIONS
from homeport.engine.services.codepipeline.tables import EXECUTIONS, Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


def start(
    ctx: Context,
    pipeline_name: str,
    trigger: dict[str, str],
    variables: Sequence[Row] = (),
    overrides: Sequence[Row] = (),
    token: str | None = None,
) -> str:
    """Start an execution of the newest version and return its id. The same token answers the execution that
    it started before. Raises the errors of StartPipelineExecution."""
    with ctx.store.transaction():
        board = Board(ctx, pipeline_name)
        if token and (known := EXECUTIONS.list(ctx, pipeline_name, clientRequestToken=token)):
            return known[0]["pipelineExecutionId"]
        declaration = board.declaration(board.pipeline["version"])
        if declaration["executionMode"] != "SUPERSEDED" and len(board.executions) >= MAXIMUM_EXECUTIONS:
            raise AwsError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline '{pipeline_name}' has reached its limit of {MAXIMUM_EXECUTIONS} concurrent "
                "executions",
            )
        execution = board.new_execution(
            pipelineVersion=board.pipeline["version"],
            executionMode=declaration["executionMode"],
            stage=declaration["stages"][0]["name"],
            trigger=trigger,
            clientRequestToken=token,
            variables=_resolved(declaration, variables),
            overrides=_checked(declaration, overrides),
        )
        scheduler.advance(ctx, pipeline_name)
        return execution["pipelineExecutionId"]


def _resolved(declaration: Row, given: Sequence[Row]) -> list[Row]:
    values = {variable["name"]: variable["value"] for variable in given}
    declared = declaration.get("variables", [])
    if unknown := sorted(set(values) - {variable["name"] for variable in declared}):
        raise AwsError(
            "ValidationException", f"The pipeline does not declare the variable(s) {', '.join(unknown)}"
        )
    resolved = []
    for variable in declared:
        value = values.get(variable["name"], variable.get("defaultValue"))
        if value is None:
            raise AwsError(
                "ValidationException",
                f"The pipeline variable '{variable['name']}' has no default value: give one for this execution",
            )
        resolved.append({"name": variable["name"], "resolvedValue": value})
    return resolved


_OVERRIDES = {
    "CodeCommit": ("COMMIT_ID",),
    "CodeStarSourceConnection": ("COMMIT_ID", "BRANCH"),  # BRANCH: triggers only, the API has no such type
    "ECR": ("IMAGE_DIGEST",),
    "S3": ("S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"),
}


def _checked(declaration: Row, overrides: Sequence[Row]) -> list[Row]:
    sources = {action["name"]: action for action in declaration["stages"][0]["actions"]}
    for one in overrides:
        action = sources.get(one["actionName"])
        if action is None:
            raise AwsError(
                "ValidationException", f"The pipeline has no source action named '{one['actionName']}'"
            )
        provider = action["actionTypeId"]["provider"]
        if one["revisionType"] not in _OVERRIDES.get(provider, ()):
            raise AwsError(
                "ValidationException",
                f"The revision type {one['revisionType']} cannot be used with the {provider} source action "
                f"'{one['actionName']}'",
            )
        allowed = action["configuration"].get("AllowOverrideForS3ObjectKey", "false").lower() == "true"
        if one["revisionType"] == "S3_OBJECT_KEY" and not allowed:
            raise AwsError(
                "ValidationException",
                f"The source action '{one['actionName']}' does not allow to override its S3 object key: set "
                "AllowOverrideForS3ObjectKey to true",
            )
    return [dict(one) for one in overrides]
