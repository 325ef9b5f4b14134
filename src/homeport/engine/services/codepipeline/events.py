"""State changes as EventBridge events, written in the transaction of the change.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.codepipeline.tables import Row
from homeport.engine.services.context import Context

SOURCE = "aws.codepipeline"


def pipeline_changed(ctx: Context, execution: Row, state: str) -> None:
    """Call inside the transaction of the change, as those below."""
    detail = _detail(execution, state)
    trigger = execution.get("trigger") or {}
    detail["start-time"] = _time(execution["startTime"])
    detail["execution-trigger"] = {
        "trigger-type": trigger.get("triggerType", ""),
        "trigger-detail": trigger.get("triggerDetail", ""),
    }
    _send(ctx, "CodePipeline Pipeline Execution State Change", execution, detail)


def stage_changed(ctx: Context, execution: Row, stage_name: str, state: str) -> None:
    detail = {**_detail(execution, state), "stage": stage_name}
    detail["start-time"] = _time(execution["stages"][stage_name]["startTime"])
    _send(ctx, "CodePipeline Stage Execution State Change", execution, detail)


def action_changed(ctx: Context, execution: Row, action: Row, state: str) -> None:
    kind = action["declaration"]["actionTypeId"]
    detail = _detail(execution, state) | {
        "stage": action["stageName"],
        "action": action["actionName"],
        "action-execution-id": action["actionExecutionId"],
        "start-time": _time(action["startTime"]),
        "region": action["region"],
        "type": {key: kind[key] for key in ("owner", "category", "provider", "version")},
        "input-artifacts": action.get("inputs", []),
        "output-artifacts": action.get("outputs", []),
    }
    if state in ("SUCCEEDED", "FAILED"):
        error = action.get("errorDetails") or {}
        detail["execution-result"] = {
            "external-execution-url": action.get("externalExecutionUrl", ""),
            "external-execution-summary": error.get("message") or action.get("summary", ""),
            "external-execution-id": action.get("externalExecutionId", ""),
            **({"error-code": error["code"]} if error else {}),
        }
    _send(ctx, "CodePipeline Action Execution State Change", execution, detail)


def _detail(execution: Row, state: str) -> dict[str, Any]:
    return {
        "pipeline": execution["pipelineName"],
        "execution-id": execution["pipelineExecutionId"],
        "state": state,
        "version": float(execution["pipelineVersion"]),
        "pipeline-execution-attempt": float(execution["attempt"]),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _send(ctx: Context, detail_type: str, execution: Row, detail: dict[str, Any]) -> None:
    ctx.emit(SOURCE, detail_type, detail, [ctx.arn(execution["pipelineName"])])
