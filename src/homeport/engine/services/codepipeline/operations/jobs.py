"""Results of jobs that Lambda functions carry out for Invoke actions.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline.actions.invoke_lambda import topic
from homeport.engine.services.codepipeline.tables import ACTIONS, EXECUTIONS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_job_success_result(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The job succeeded; with a continuation token, the function is invoked again."""
    result: Row = {"status": "Succeeded", "variables": request.get("outputVariables", {})}
    if summary := request.get("executionDetails", {}).get("summary"):
        result["summary"] = summary
    if token := request.get("continuationToken"):
        result["continuationToken"] = token
    _put(ctx, request["jobId"], result)
    return {}


@operation
async def put_job_failure_result(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The job failed, and so does its action."""
    details = request["failureDetails"]
    _put(ctx, request["jobId"], {"status": "Failed", "type": details["type"], "message": details["message"]})
    return {}


def _put(ctx: Context, job_id: str, result: Row) -> None:
    with ctx.store.transaction():
        row = _waiting(ctx, job_id)
        number = (row.get("jobResult") or {}).get("number", 0) + 1
        ACTIONS.put(ctx, row | {"jobResult": {**result, "number": number}, "lastUpdateTime": ctx.now()})
        ctx.notify(topic(job_id))


def _waiting(ctx: Context, job_id: str) -> Row:
    for execution in EXECUTIONS.list(ctx, underWay=1):
        id = execution["pipelineExecutionId"]
        for row in ACTIONS.list(ctx, execution["pipelineName"], pipelineExecutionId=id):
            if row.get("jobId") == job_id and row["status"] == "InProgress":
                return row
    raise AwsError("JobNotFoundException", f"There is no job '{job_id}' whose result is waited for")
