"""Running a stage again: retries of an execution, and rollbacks to what an earlier one deployed.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html
"""

from __future__ import annotations

from typing import Any, Literal

from homeport.engine.services.codepipeline import events
from homeport.engine.services.codepipeline.board import Board
from homeport.engine.services.codepipeline.stages import kept_for_retry
from homeport.engine.services.codepipeline.tables import EXECUTIONS, Row


def retry(
    board: Board,
    execution: Row,
    stage_name: str,
    mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"],
    automatic: bool,
) -> None:
    """Put the execution back into the stage, with the actions that the mode keeps."""
    before = execution["stages"][stage_name]
    statuses = {name: action["status"] for name, action in before["actions"].items()}
    kept = kept_for_retry(mode, statuses)
    counted = dict(before.get("retry", {}))
    counter = "autoStageRetryAttempt" if automatic else "manualStageRetryAttempt"
    counted[counter] = counted.get(counter, 0) + 1
    counted["latestRetryTrigger"] = "AutomatedStageRetry" if automatic else "ManualStageRetry"
    execution["stages"][stage_name] = {
        **before,
        "status": "InProgress",
        "phase": "ACTIONS",
        "attempt": before["attempt"] + 1,
        "actions": {name: action for name, action in before["actions"].items() if name in kept},
        "conditions": {},
        "retry": counted,
    }
    execution["status"], execution["stage"], execution["waiting"] = "InProgress", stage_name, False
    execution["attempt"] += 1
    execution.pop("stop", None)
    execution.pop("statusSummary", None)
    board.save(execution)
    events.pipeline_changed(board.ctx, execution, "RESUMED")
    events.stage_changed(board.ctx, execution, stage_name, "RESUMED")


def start(board: Board, target: Row, stage_name: str, trigger: dict[str, str]) -> Row:
    """A new execution of type ROLLBACK that runs one stage with the target's artifacts and variables."""
    inherited: dict[str, Any] = {
        key: target[key] for key in ("artifacts", "namespaces", "revisions", "variables", "pipelineVersion")
    }
    return board.new_execution(
        **inherited,
        stage=stage_name,
        executionType="ROLLBACK",
        executionMode=target["executionMode"],
        trigger=trigger,
        rollbackMetadata={"rollbackTargetPipelineExecutionId": target["pipelineExecutionId"]},
    )


def automatic(board: Board, failed: Row, stage_name: str) -> Row | None:
    """Roll the stage back to the newest execution that succeeded in it; None when there is none, or when
    what failed is itself a rollback."""
    if failed["executionType"] == "ROLLBACK":
        return None
    target = newest_success(board, stage_name, failed["pipelineVersion"])
    if target is None:
        return None
    trigger = {"triggerType": "AutomatedRollback", "triggerDetail": failed["pipelineExecutionId"]}
    return start(board, target, stage_name, trigger)


def newest_success(board: Board, stage_name: str, version: int) -> Row | None:
    """The newest execution of this version, not a rollback, that succeeded in the stage."""
    for row in EXECUTIONS.list(board.ctx, board.name, last_first=True):
        succeeded = row["stages"].get(stage_name, {}).get("status") == "Succeeded"
        if succeeded and row["executionType"] == "STANDARD" and row["pipelineVersion"] == version:
            return row
    return None
