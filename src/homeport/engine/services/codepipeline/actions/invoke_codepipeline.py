"""Invoke CodePipeline: starts another pipeline and waits for its execution.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodePipeline.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
    HOUR,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    name = running.configuration["PipelineName"]
    id = await running.x.step("start", lambda: _start(running, name))
    await running.external(id, _url(running, name, id))

    async def ended() -> dict[str, Any] | None:
        answer = await running.client("codepipeline").get_pipeline_execution(
            pipelineName=name, pipelineExecutionId=id
        )
        execution = answer["pipelineExecution"]
        return None if execution["status"] in ("InProgress", "Stopping") else execution

    execution = await running.until(ended, [f"codepipeline.execution:{id}"])
    if execution["status"] != "Succeeded":
        raise ActionFailed(f"The execution {id} of pipeline {name} ended as {execution['status']}")
    return ActionResult(summary=f"Pipeline execution {id} succeeded", variables={"PipelineExecutionId": id})


async def _start(running: Running, name: str) -> str:
    variables, revisions = running.json("Variables"), running.json("SourceRevisions")
    answer = await running.client("codepipeline").start_pipeline_execution(
        name=name,
        clientRequestToken=running.x.token("start"),
        variables=variables or None,
        sourceRevisions=revisions or None,
    )
    return answer["pipelineExecutionId"]


def _url(running: Running, name: str, id: str) -> str:
    return f"https://{running.region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/executions/{id}"


PROVIDER = ActionProvider(
    type=ActionTypeId("Invoke", "AWS", "CodePipeline"),
    inputs=(0, 0),
    outputs=(0, 0),
    properties=(Property("PipelineName", True), Property("SourceRevisions"), Property("Variables")),
    run=_run,
    timeout=24 * HOUR,
    v2_only=True,
)
