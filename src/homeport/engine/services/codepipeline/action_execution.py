"""One action execution, from its start to its end, as durable work."""

from __future__ import annotations

from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.codepipeline import events, tables
from homeport.engine.services.codepipeline.actions import PROVIDERS
from homeport.engine.services.codepipeline.actions.contract import (
    ActionFailed,
    ActionResult,
    ActionTypeId,
)
from homeport.engine.services.codepipeline.running import Running
from homeport.engine.services.codepipeline.tables import ACTIONS, EXECUTIONS, Row
from homeport.engine.services.codepipeline.variables import UnresolvedVariable
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

SCHEDULER = "codepipeline.pipeline"
MOST_VARIABLES, MOST_CONFIGURATION = 122_880, 100 * 1024
"""Bytes of an action's output variables, and of its configuration with variables replaced.
https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"""
_PERMISSION = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")


async def _run(x: Execution) -> None:
    row = ACTIONS.get(x.ctx, x.input["pipelineName"], x.input["sequence"])
    if row is None:
        return
    try:
        result = await _carry_out(x, row)
    except ActionFailed as failure:
        error, summary = {"code": failure.code, "message": failure.message[:2048]}, failure.summary
        await x.record("end", lambda: _fail(x.ctx, row, error, summary))
    else:
        await x.record("end", lambda: _succeed(x.ctx, row, result))


async def _carry_out(x: Execution, row: Row) -> ActionResult:
    provider = PROVIDERS[ActionTypeId.of(row["declaration"]["actionTypeId"])]
    execution = tables.execution(x.ctx, row["pipelineName"], row["pipelineExecutionId"])
    try:
        running = Running(x, ACTIONS, row, execution, provider.timeout)
        await running.bring_inputs()
        running.note(
            resolvedConfiguration=running.configuration,
            roleArn=running.role,
            inputs=[_location(*artifact) for artifact in running.inputs],
        )
        _check_size(running.configuration, MOST_CONFIGURATION, "The resolved settings")
        result = await provider.run(running)
        _check_size(result.variables, MOST_VARIABLES, "The output variables")
        return result
    except UnresolvedVariable as error:
        raise ActionFailed(str(error), "ConfigurationError") from error
    except AwsError as error:
        code = "PermissionError" if error.code in _PERMISSION else "ConfigurationError"
        raise ActionFailed(f"{error.message} (Error Code: {error.code})", code) from error


def _check_size(texts: dict[str, str], most: int, what: str) -> None:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in texts.items())
    if size > most:
        raise ActionFailed(
            f"{what} of the action have {size} bytes in all, more than {most}", "ConfigurationError"
        )


def _succeed(ctx: Context, row: Row, result: ActionResult) -> None:
    execution = tables.execution(ctx, row["pipelineName"], row["pipelineExecutionId"])
    bucket = _bucket(ctx, row)
    outputs = [_location(name, bucket, key) for name, key in result.outputs.items()]
    changed: Row = {"outputs": outputs, "outputVariables": result.variables}
    if result.summary:
        changed["summary"] = result.summary
    if result.revision:
        shown = {
            "actionName": row["actionName"],
            "revisionId": result.revision.id,
            "revisionSummary": result.revision.summary[:2048],
            "revisionUrl": result.revision.url,
            "created": result.revision.created or ctx.now(),
            "name": next(iter(result.outputs), row["actionName"]),
        }
        execution["revisions"] = [
            one for one in execution["revisions"] if one["actionName"] != row["actionName"]
        ] + [shown]
    for output in outputs:
        execution["artifacts"][output["name"]] = {
            "bucket": output["s3location"]["bucket"],
            "key": output["s3location"]["key"],
        }
    if namespace := row["declaration"].get("namespace"):
        execution["namespaces"][namespace] = result.variables
    _end(ctx, row, execution, "Succeeded", changed)


def _fail(ctx: Context, row: Row, error: dict[str, str], summary: str = "") -> None:
    execution = tables.execution(ctx, row["pipelineName"], row["pipelineExecutionId"])
    changed: Row = {"errorDetails": error}
    if summary:
        changed["summary"] = summary
    _end(ctx, row, execution, "Failed", changed)


def _end(ctx: Context, row: Row, execution: Row, status: str, changed: Row) -> None:
    current = ACTIONS.get(ctx, row["pipelineName"], row["sequence"])
    if current is None or current["status"] != "InProgress":
        return
    current |= changed | {"status": status, "lastUpdateTime": ctx.now()}
    ACTIONS.put(ctx, current)
    action = execution["stages"].get(row["stageName"], {}).get("actions", {}).get(row["actionName"])
    if action and action["id"] == row["actionExecutionId"]:
        action["status"] = status
    EXECUTIONS.put(ctx, execution)
    events.action_changed(ctx, execution, current, status.upper())
    ctx.wake(SCHEDULER, row["pipelineName"])


def abandon(ctx: Context, row: Row, reason: str) -> None:
    """End an action that runs as Abandoned; call it in the transaction that stops its execution. The build, the
    deployment or the stack that it waited for goes on, as with CodePipeline, whose role needs no permission to stop it.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html#concepts-how-it-works-stopping
    """
    ACTIONS.put(ctx, row | {"status": "Abandoned", "lastUpdateTime": ctx.now()})
    ctx.request_stop(ACTION, row["actionExecutionId"], reason)


def _location(name: str, bucket: str, key: str) -> Row:
    return {"name": name, "s3location": {"bucket": bucket, "key": key}}


def _bucket(ctx: Context, row: Row) -> str:
    declaration = tables.declaration(ctx, row["pipelineName"], row["pipelineVersion"])
    stores = declaration.get("artifactStores")
    return (stores[row["region"]] if stores else declaration["artifactStore"])["location"]


async def _failed(x: Execution, error: Exception) -> None:
    row = ACTIONS.get(x.ctx, x.input["pipelineName"], x.input["sequence"])
    if row is None or isinstance(error, Stopped):
        return
    with x.ctx.store.transaction():
        message = f"homeport could not carry the action out: {type(error).__name__}: {error}"
        _fail(x.ctx, row, {"code": "SystemUnavailable", "message": message[:2048]})


ACTION = ExecutionKind("codepipeline.action", _run, _failed)
