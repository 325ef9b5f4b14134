"""Retrying and rolling back a stage, and overriding its conditions.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageExecution.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline import conditions, rollback, scheduler, tables
from homeport.engine.services.codepipeline.board import ENDED, Board
from homeport.engine.services.codepipeline.declaration import stage_named
from homeport.engine.services.codepipeline.tables import Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def retry_stage_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Run a failed or stopped stage of the same execution again."""
    name, id, stage_name = request["pipelineName"], request["pipelineExecutionId"], request["stageName"]
    with ctx.store.transaction():
        board = Board(ctx, name)
        stage_named(board.declaration(board.pipeline["version"]), stage_name)
        execution = tables.execution(ctx, name, id)
        _check_retryable(board, execution, stage_name)
        rollback.retry(board, execution, stage_name, request["retryMode"], automatic=False)
        scheduler.advance(ctx, name)
    return {"pipelineExecutionId": id}


def _check_retryable(board: Board, execution: Row, stage_name: str) -> None:
    stage = execution["stages"].get(stage_name)
    id = execution["pipelineExecutionId"]
    if stage is None or stage["status"] not in ("Failed", "Stopped") or execution["status"] not in ENDED:
        raise AwsError(
            "StageNotRetryableException",
            f"The stage '{stage_name}' of the pipeline execution '{id}' cannot be retried: it has not failed",
        )
    if execution["pipelineVersion"] != board.pipeline["version"]:
        raise AwsError(
            "StageNotRetryableException",
            f"The stage '{stage_name}' cannot be retried: the pipeline was changed after the execution failed",
        )
    parallel = execution["executionMode"] == "PARALLEL"
    if not parallel and board.stage(stage_name)["latest"] != execution["number"]:
        raise AwsError(
            "NotLatestPipelineExecutionException",
            f"The pipeline execution '{id}' is not the latest one in the stage '{stage_name}'",
        )


@operation
async def rollback_stage(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Run a stage with the revisions of an earlier execution that succeeded in it."""
    name, stage_name, id = (
        request["pipelineName"],
        request["stageName"],
        request["targetPipelineExecutionId"],
    )
    with ctx.store.transaction():
        board = Board(ctx, name)
        declaration = board.declaration(board.pipeline["version"])
        stage_named(declaration, stage_name)
        target = tables.execution(ctx, name, id)
        _check_rollback(board, declaration, stage_name, target)
        trigger = {"triggerType": "ManualRollback", "triggerDetail": ctx.principal.arn}
        execution = rollback.start(board, target, stage_name, trigger)
        scheduler.advance(ctx, name)
    return {"pipelineExecutionId": execution["pipelineExecutionId"]}


def _check_rollback(board: Board, declaration: Row, stage_name: str, target: Row) -> None:
    id = target["pipelineExecutionId"]
    if declaration["executionMode"] == "PARALLEL":
        raise _unable("stage rollback is not available for pipelines in PARALLEL mode")
    if declaration["stages"][0]["name"] == stage_name:
        raise _unable(f"the stage '{stage_name}' is the source stage")
    if target["pipelineVersion"] != board.pipeline["version"]:
        raise AwsError(
            "PipelineExecutionOutdatedException",
            f"The pipeline execution '{id}' ran version {target['pipelineVersion']} of the pipeline, whose "
            f"version is now {board.pipeline['version']}",
        )
    if target["executionType"] == "ROLLBACK":
        raise _unable(f"the target execution '{id}' is itself a rollback")
    if target["stages"].get(stage_name, {}).get("status") != "Succeeded":
        raise _unable(f"the target execution '{id}' did not succeed in the stage '{stage_name}'")
    inside = [one for one in board.positions() if one.stage == stage_name and not one.waiting]
    if inside:
        raise _unable(f"the execution '{inside[0].id}' is in progress in the stage '{stage_name}'")


def _unable(why: str) -> AwsError:
    return AwsError("UnableToRollbackStageException", f"Unable to roll back the stage: {why}")


@operation
async def override_stage_condition(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Go on as if the condition that holds the stage were met."""
    name, stage_name, phase = request["pipelineName"], request["stageName"], request["conditionType"]
    with ctx.store.transaction():
        board = Board(ctx, name)
        declaration = board.declaration(board.pipeline["version"])
        stage_named(declaration, stage_name)
        execution = tables.execution(ctx, name, request["pipelineExecutionId"])
        state = execution["stages"].get(stage_name, {}).get("conditions", {}).get(phase)
        if state is None or state["status"] in ("Succeeded", "Overridden"):
            raise AwsError(
                "ConditionNotOverridableException",
                f"The {phase} condition of stage '{stage_name}' is not one that is waited for or has failed",
            )
        if _skips(board, execution, stage_name, phase):
            raise AwsError(
                "ConditionNotOverridableException",
                f"The {phase} condition of stage '{stage_name}' skips the stage, and cannot be overridden",
            )
        if execution["status"] in ENDED:
            if board.stage(stage_name)["latest"] != execution["number"]:
                raise AwsError(
                    "NotLatestPipelineExecutionException",
                    f"The execution '{execution['pipelineExecutionId']}' is not the latest one in the stage",
                )
            execution["status"], execution["stage"], execution["waiting"] = "InProgress", stage_name, False
            execution["stages"][stage_name] |= {"status": "InProgress", "phase": phase}
        conditions.override(ctx, execution, stage_name, phase)
        board.save(execution)
        scheduler.advance(ctx, name)
    return {}


def _skips(board: Board, execution: Row, stage_name: str, phase: str) -> bool:
    block = board.stage_declaration(execution, stage_name)[conditions.MEMBER[phase]]
    return any(each.get("result") == "SKIP" for each in (block, *block.get("conditions", ())))
