"""Moves a pipeline's executions through its stages.

`advance` is called in the transaction of whatever happened (a start, an action's end, a switched transition):
it applies the pure decisions of `modes` and `stages` to the rows until nothing is left to do, and starts the
durable work of actions and conditions. So there is no moment at which an execution is only in memory.
"""

from __future__ import annotations

from homeport.engine.services.codepipeline import conditions, events, rollback
from homeport.engine.services.codepipeline.action_execution import ACTION
from homeport.engine.services.codepipeline.board import Board
from homeport.engine.services.codepipeline.modes import Enter, decide
from homeport.engine.services.codepipeline.stages import Ended, Outcome, Start, next_step
from homeport.engine.services.codepipeline.tables import Row
from homeport.engine.services.context import Context


def advance(ctx: Context, pipeline_name: str) -> None:
    """Bring the pipeline to where it waits for something."""
    with ctx.store.transaction():
        board = Board(ctx, pipeline_name)
        while _enter_stages(board) or _go_on(board):
            pass


def _enter_stages(board: Board) -> bool:
    stages = {row["stage"] for row in board.executions.values() if row["waiting"]}
    enabled = {name: board.stage(name)["transition"]["enabled"] for name in stages}
    decisions = decide(board.positions(), enabled)
    for decision in decisions:
        execution = board.executions[decision.id]
        if isinstance(decision, Enter):
            _enter(board, execution)
        else:
            _supersede(board, execution, decision.by)
    return bool(decisions)


def _enter(board: Board, execution: Row) -> None:
    name = execution["stage"]
    execution["waiting"] = False
    begin_stage(board, execution, name, attempt=1)
    events.stage_changed(board.ctx, execution, name, "STARTED")


def begin_stage(board: Board, execution: Row, stage_name: str, attempt: int) -> None:
    """The execution is in the stage from now on; its entry condition is asked first."""
    declared = board.stage_declaration(execution, stage_name)
    execution["stages"][stage_name] = {
        "status": "InProgress",
        "phase": "BEFORE_ENTRY" if declared.get("beforeEntry") else "ACTIONS",
        "attempt": attempt,
        "startTime": board.ctx.now(),
        "actions": {},
        "conditions": {},
    }
    stage = board.stage(stage_name)
    stage["latest"] = execution["number"]
    board.save_stage(stage)
    board.save(execution)


def _supersede(board: Board, execution: Row, by: str) -> None:
    execution["status"] = "Superseded"
    execution["supersededBy"] = by
    board.save(execution)
    events.pipeline_changed(board.ctx, execution, "SUPERSEDED")


def _go_on(board: Board) -> bool:
    """Let every execution in a stage take its next step; True when one did."""
    moved = [_step(board, row) for row in list(board.executions.values())]
    return any(moved)


def _step(board: Board, execution: Row) -> bool:
    if execution["waiting"]:
        if execution.get("stop"):
            _end(board, execution, "Stopped")
            return True
        return False
    stage = execution["stages"][execution["stage"]]
    if stage["phase"] == "ACTIONS":
        return _step_actions(board, execution, stage)
    return _step_condition(board, execution, stage)


def _step_actions(board: Board, execution: Row, stage: Row) -> bool:
    declared = board.stage_declaration(execution, execution["stage"])
    statuses = {name: action["status"] for name, action in stage["actions"].items()}
    step = next_step(declared["actions"], statuses, stopping=bool(execution.get("stop")))
    if isinstance(step, Start):
        for name in step.actions:
            _start_action(
                board, execution, stage, next(one for one in declared["actions"] if one["name"] == name)
            )
        return True
    if isinstance(step, Ended):
        _actions_ended(board, execution, stage, step.outcome)
        return True
    return False


def _start_action(board: Board, execution: Row, stage: Row, action: Row) -> None:
    row = board.new_action(execution, execution["stage"], action)
    stage["actions"][action["name"]] = {"id": row["actionExecutionId"], "status": "InProgress"}
    board.save(execution)
    events.action_changed(board.ctx, execution, row, "STARTED")
    board.ctx.start(
        ACTION, row["actionExecutionId"], {"pipelineName": board.name, "sequence": row["sequence"]}
    )


def _actions_ended(board: Board, execution: Row, stage: Row, outcome: Outcome) -> None:
    declared = board.stage_declaration(execution, execution["stage"])
    condition = {"Succeeded": "onSuccess", "Failed": "onFailure"}.get(outcome, "")
    block = declared.get(condition)
    if block and block.get("conditions") and not execution.get("stop"):
        stage["phase"] = "ON_SUCCESS" if outcome == "Succeeded" else "ON_FAILURE"
        board.save(execution)
        return
    if outcome == "Failed" and block and not execution.get("stop"):
        _apply(board, execution, stage, block.get("result", "FAIL"), "ON_FAILURE")
        return
    _leave_stage(board, execution, outcome)


def _step_condition(board: Board, execution: Row, stage: Row) -> bool:
    """A condition is under way: it is started, waited for, or its result is applied."""
    phase = stage["phase"]
    if execution.get("stop"):
        conditions.abandon(board.ctx, execution, execution["stop"]["reason"] or "The execution was stopped")
        _leave_stage(board, execution, "Stopped")
        return True
    state = stage["conditions"].get(phase)
    if state is None:
        conditions.start(board, execution, phase)
        return True
    if state["status"] == "InProgress":
        return False
    met = state["status"] in ("Succeeded", "Overridden")
    block = board.stage_declaration(execution, execution["stage"])[conditions.MEMBER[phase]]
    result = block["conditions"][0].get("result") or block.get("result") or "FAIL"
    if phase == "BEFORE_ENTRY" and met:
        stage["phase"] = "ACTIONS"
        board.save(execution)
    elif phase == "ON_SUCCESS" and met:
        _leave_stage(board, execution, "Succeeded")
    elif phase == "ON_FAILURE" and not met:
        _leave_stage(board, execution, "Failed")
    else:
        _apply(board, execution, stage, result, phase)
    return True


def _apply(board: Board, execution: Row, stage: Row, result: str, phase: str) -> None:
    """Do what the condition's result says."""
    name = execution["stage"]
    if result == "SKIP":
        _leave_stage(board, execution, "Skipped")
    elif result == "RETRY" and stage.get("retry", {}).get("autoStageRetryAttempt", 0) < 1:
        block = board.stage_declaration(execution, name)["onFailure"]
        mode = block.get("retryConfiguration", {}).get("retryMode", "FAILED_ACTIONS")
        rollback.retry(board, execution, name, mode, automatic=True)
    elif result == "ROLLBACK":
        _leave_stage(board, execution, "Failed")
        rollback.automatic(board, execution, name)
    else:
        _leave_stage(board, execution, "Failed")


def _leave_stage(board: Board, execution: Row, outcome: Outcome | str) -> None:
    name = execution["stage"]
    stage = execution["stages"][name]
    stage["status"] = outcome
    stage["endTime"] = board.ctx.now()
    shown = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "Stopped": "STOPPED", "Skipped": "SUCCEEDED"}
    events.stage_changed(board.ctx, execution, name, shown[outcome])
    following = _following(board, execution, name)
    if outcome in ("Failed", "Stopped"):
        _end(board, execution, outcome)
    elif following is None:
        _end(board, execution, "Succeeded")
    elif execution.get("stop"):
        _end(board, execution, "Stopped")
    else:
        execution["stage"], execution["waiting"] = following, True
        board.save(execution)


def _following(board: Board, execution: Row, stage_name: str) -> str | None:
    if execution["executionType"] == "ROLLBACK":
        return None
    names = [stage["name"] for stage in board.declaration(execution["pipelineVersion"])["stages"]]
    index = names.index(stage_name) + 1
    return names[index] if index < len(names) else None


def _end(board: Board, execution: Row, status: str) -> None:
    execution["status"] = status
    if status == "Stopped":
        execution["statusSummary"] = (execution.get("stop") or {}).get("reason", "")
    execution["waiting"] = False
    board.save(execution)
    events.pipeline_changed(board.ctx, execution, status.upper())
    board.ctx.notify(f"codepipeline.execution:{execution['pipelineExecutionId']}")
