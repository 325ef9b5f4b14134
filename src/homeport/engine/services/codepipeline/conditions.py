"""Stage conditions: rules that decide whether an execution enters, leaves or gives up a stage.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
"""

from __future__ import annotations

from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.action_execution import SCHEDULER
from homeport.engine.services.codepipeline.actions.contract import ActionFailed
from homeport.engine.services.codepipeline.board import Board
from homeport.engine.services.codepipeline.rules import RULE_PROVIDERS
from homeport.engine.services.codepipeline.running import Running
from homeport.engine.services.codepipeline.tables import EXECUTIONS, RULES, Row
from homeport.engine.services.codepipeline.variables import UnresolvedVariable
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

MEMBER = {"BEFORE_ENTRY": "beforeEntry", "ON_SUCCESS": "onSuccess", "ON_FAILURE": "onFailure"}
"""Phases of a stage, and the member of its declaration that holds the condition."""


def start(board: Board, execution: Row, phase: str) -> None:
    """Start every rule of the condition; they run together."""
    name = execution["stage"]
    declared = board.stage_declaration(execution, name)[MEMBER[phase]]["conditions"][0]
    state: Row = {"status": "InProgress", "rules": {}, "startTime": board.ctx.now()}
    for rule in declared.get("rules", ()):
        row = board.new_rule(execution, name, phase, rule)
        state["rules"][rule["name"]] = {"id": row["ruleExecutionId"], "status": "InProgress"}
        board.ctx.start(
            RULE, row["ruleExecutionId"], {"pipelineName": board.name, "sequence": row["sequence"]}
        )
    execution["stages"][name]["conditions"][phase] = state
    _settle(state)
    board.save(execution)


def override(ctx: Context, execution: Row, stage_name: str, phase: str) -> None:
    """Take the condition as met, whatever its rules say."""
    state = execution["stages"][stage_name]["conditions"][phase]
    state["status"], state["summary"] = "Overridden", f"Overridden by {ctx.principal.arn}"
    for rule in state["rules"].values():
        ctx.request_stop(RULE, rule["id"], "The condition was overridden")


def abandon(ctx: Context, execution: Row, reason: str) -> None:
    """End the execution's rules that run as Abandoned; call it in the transaction that stops the execution."""
    for row in RULES.list(
        ctx, execution["pipelineName"], pipelineExecutionId=execution["pipelineExecutionId"]
    ):
        if row["status"] != "InProgress":
            continue
        RULES.put(ctx, row | {"status": "Abandoned", "lastUpdateTime": ctx.now()})
        ctx.request_stop(RULE, row["ruleExecutionId"], reason)
        state = execution["stages"][row["stageName"]]["conditions"][row["condition"]]
        state["status"] = state["rules"][row["ruleName"]]["status"] = "Abandoned"


def _settle(state: Row) -> None:
    statuses = [rule["status"] for rule in state["rules"].values()]
    if "InProgress" in statuses or state["status"] != "InProgress":
        return
    failed = [name for name, rule in state["rules"].items() if rule["status"] != "Succeeded"]
    state["status"] = "Failed" if failed else "Succeeded"
    if failed:
        state["summary"] = f"Rules that did not pass: {', '.join(failed)}"


async def _run(x: Execution) -> None:
    row = RULES.get(x.ctx, x.input["pipelineName"], x.input["sequence"])
    if row is None:
        return
    try:
        summary = await _evaluate(x, row)
    except ActionFailed as failure:
        message, code = failure.message[:2048], failure.code
        error = {"code": code, "message": message}
        await x.record("end", lambda: _end(x.ctx, row, "Failed", message, error))
    else:
        await x.record("end", lambda: _end(x.ctx, row, "Succeeded", summary))


async def _evaluate(x: Execution, row: Row) -> str:
    provider = RULE_PROVIDERS[row["declaration"]["ruleTypeId"]["provider"]]
    execution = tables.execution(x.ctx, row["pipelineName"], row["pipelineExecutionId"])
    try:
        running = Running(x, RULES, row, execution, provider.timeout)
        await running.bring_inputs()
        running.note(resolvedConfiguration=running.configuration, roleArn=running.role)
        return await provider.run(running)
    except UnresolvedVariable as error:
        raise ActionFailed(str(error), "ConfigurationError") from error
    except AwsError as error:
        raise ActionFailed(f"{error.message} (Error Code: {error.code})", error.code) from error


def _end(ctx: Context, row: Row, status: str, summary: str, error: Row | None = None) -> None:
    current = RULES.get(ctx, row["pipelineName"], row["sequence"])
    if current is None or current["status"] != "InProgress":
        return
    current |= {"status": status, "summary": summary[:2048], "lastUpdateTime": ctx.now()}
    if error:
        current["errorDetails"] = error
    RULES.put(ctx, current)
    execution = tables.execution(ctx, row["pipelineName"], row["pipelineExecutionId"])
    state = execution["stages"].get(row["stageName"], {}).get("conditions", {}).get(row["condition"])
    rule = state and state["rules"].get(row["ruleName"])
    if rule and rule["id"] == row["ruleExecutionId"]:
        rule["status"] = status
        _settle(state)
        EXECUTIONS.put(ctx, execution)
        ctx.wake(SCHEDULER, row["pipelineName"])


async def _failed(x: Execution, error: Exception) -> None:
    row = RULES.get(x.ctx, x.input["pipelineName"], x.input["sequence"])
    if row is None:
        return
    status = "Abandoned" if isinstance(error, Stopped) else "Failed"
    with x.ctx.store.transaction():
        _end(x.ctx, row, status, f"{type(error).__name__}: {error}")


RULE = ExecutionKind("codepipeline.rule", _run, _failed)
