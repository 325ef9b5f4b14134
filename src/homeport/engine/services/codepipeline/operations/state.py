"""The state of a pipeline: what ran last in each stage, who waits before it.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipelineState.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.conditions import MEMBER
from homeport.engine.services.codepipeline.tables import ACTIONS, EXECUTIONS, RULES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation

_CONDITION_STATES = {
    "BEFORE_ENTRY": "beforeEntryConditionState",
    "ON_SUCCESS": "onSuccessConditionState",
    "ON_FAILURE": "onFailureConditionState",
}


@operation
async def get_pipeline_state(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What happens in the pipeline now."""
    row = tables.pipeline(ctx, request["name"])
    declaration = tables.declaration(ctx, row["pipelineName"], row["version"])
    waiting = [one for one in EXECUTIONS.list(ctx, row["pipelineName"], underWay=1) if one["waiting"]]
    return {
        "pipelineName": row["pipelineName"],
        "pipelineVersion": row["version"],
        "stageStates": [_stage_state(ctx, row, stage, waiting) for stage in declaration["stages"]],
        "created": row["created"],
        "updated": row["updated"],
    }


def _stage_state(ctx: Context, pipeline: Row, declared: Row, waiting: list[Row]) -> Row:
    name = declared["name"]
    stage = tables.stage(ctx, pipeline["pipelineName"], name)
    inbound = [_inbound(one) for one in waiting if one["stage"] == name]
    state: Row = {
        "stageName": name,
        "inboundTransitionState": stage["transition"],
        "inboundExecutions": inbound,
        "actionStates": [_action_state(ctx, stage, action) for action in declared["actions"]],
    }
    if inbound:
        state["inboundExecution"] = inbound[-1]
    latest = stage["latest"] and EXECUTIONS.get(ctx, pipeline["pipelineName"], stage["latest"])
    if not latest or name not in latest["stages"]:
        return state
    ran = latest["stages"][name]
    state["latestExecution"] = {
        "pipelineExecutionId": latest["pipelineExecutionId"],
        "status": ran["status"],
        "type": latest["executionType"],
    }
    if ran.get("retry"):
        state["retryStageMetadata"] = ran["retry"]
    for phase, member in MEMBER.items():
        if declared.get(member):
            state[_CONDITION_STATES[phase]] = _condition_state(
                ctx, pipeline, declared[member], ran["conditions"].get(phase)
            )
    return state


def _inbound(execution: Row) -> Row:
    stopping = execution["status"] == "Stopping"
    return {
        "pipelineExecutionId": execution["pipelineExecutionId"],
        "status": "Stopping" if stopping else "InProgress",
        "type": execution["executionType"],
    }


def _action_state(ctx: Context, stage: Row, action: Row) -> Row:
    sequence = stage["actions"].get(action["name"])
    row = ACTIONS.get(ctx, stage["pipelineName"], sequence) if sequence else None
    if row is None:
        return {"actionName": action["name"]}
    latest = {
        "actionExecutionId": row["actionExecutionId"],
        "status": row["status"],
        "lastStatusChange": row["lastUpdateTime"],
    }
    for member in ("externalExecutionId", "externalExecutionUrl", "errorDetails", "logStreamARN"):
        if row.get(member):
            latest[member] = row[member]
    if summary := row.get("summary"):
        latest["summary"] = summary[:2048]
    if row.get("token") and row["status"] == "InProgress":
        latest["token"] = row["token"]
    if approval := row.get("approval"):
        latest["lastUpdatedBy"] = approval["by"]
    state = {"actionName": action["name"], "latestExecution": latest}
    if link := row.get("resolvedConfiguration", {}).get("ExternalEntityLink"):
        state["entityUrl"] = link
    if action["actionTypeId"]["category"] == "Source":
        execution = EXECUTIONS.get(ctx, row["pipelineName"], row["number"])
        for revision in (execution or {}).get("revisions", ()):
            if revision["actionName"] == action["name"]:
                state["currentRevision"] = {
                    "revisionId": revision["revisionId"],
                    "revisionChangeId": revision["revisionId"][:100],
                    "created": revision["created"],
                }
                if revision["revisionUrl"]:
                    state["revisionUrl"] = revision["revisionUrl"]
    return state


def _condition_state(ctx: Context, pipeline: Row, block: Row, ran: Row | None) -> Row:
    if ran is None:
        return {"conditionStates": []}
    rules = []
    for name, rule in ran["rules"].items():
        row = RULES.list(ctx, pipeline["pipelineName"], ruleExecutionId=rule["id"])[0]
        latest = {
            "ruleExecutionId": rule["id"],
            "status": row["status"],
            "lastStatusChange": row["lastUpdateTime"],
            **{key: row[key] for key in ("summary", "errorDetails", "externalExecutionId") if row.get(key)},
        }
        rules.append({"ruleName": name, "latestExecution": latest})
    execution = {"status": ran["status"]}
    if ran.get("summary"):
        execution["summary"] = ran["summary"]
    one = {"latestExecution": {**execution, "lastStatusChange": ran["startTime"]}, "ruleStates": rules}
    return {"latestExecution": execution, "conditionStates": [one]}
