"""What a pipeline is doing, read through AWS's API: an execution with its stages, actions and their reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

FINAL = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an execution. `seconds` is how long it took, or has taken so far; `ended` is None until then; `log`
    is the ARN of the log stream of one that runs commands by itself."""

    stage: str
    name: str
    provider: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    seconds: float | None = None
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a pipeline, its actions in the order of the pipeline."""

    pipeline: str
    id: str
    status: str
    started: datetime | None
    seconds: float | None
    trigger: str
    revision: str = ""
    message: str = ""
    actions: list[Action] = field(default_factory=list)

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def failure(self) -> Action | None:
        """The action that failed, if one did."""
        return next((action for action in self.actions if action.status == "Failed"), None)


def names(codepipeline: Any) -> list[str]:
    """The names of the pipelines."""
    pages = codepipeline.get_paginator("list_pipelines").paginate()
    return sorted(each["name"] for page in pages for each in page["pipelines"])


def latest(codepipeline: Any, pipeline: str, commit: str | None = None) -> str | None:
    """The id of the newest execution; of the newest that deploys `commit` when one is named."""
    page = codepipeline.list_pipeline_executions(pipelineName=pipeline, maxResults=20)
    for summary in page["pipelineExecutionSummaries"]:
        revisions = [each.get("revisionId", "") for each in summary.get("sourceRevisions", [])]
        if commit is None or commit in revisions:
            return summary["pipelineExecutionId"]
    return None


def read(codepipeline: Any, pipeline: str, execution_id: str) -> Execution:
    """One execution, with every action of the pipeline: those that have not begun are `Pending`. Of one that takes a
    stage back, with that stage's."""
    declared = codepipeline.get_pipeline(name=pipeline)["pipeline"]
    execution = codepipeline.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution_id)
    details: dict[tuple[str, str], dict[str, Any]] = {}
    pages = codepipeline.get_paginator("list_action_executions").paginate(
        pipelineName=pipeline, filter={"pipelineExecutionId": execution_id}
    )
    for page in pages:
        for detail in page["actionExecutionDetails"]:
            details.setdefault((detail["stageName"], detail["actionName"]), detail)
    goes_back = execution["pipelineExecution"].get("executionType") == "ROLLBACK"
    begun = {stage for stage, _ in details}
    actions = [
        _action(stage["name"], action, details.get((stage["name"], action["name"])))
        for stage in declared["stages"]
        if stage["name"] in begun or not goes_back
        for action in sorted(stage["actions"], key=lambda each: each.get("runOrder", 1))
    ]
    body = execution["pipelineExecution"]
    revision: dict[str, Any] = next(iter(body.get("artifactRevisions", [])), {})
    starts = [detail["startTime"] for detail in details.values()]
    ends = [detail["lastUpdateTime"] for detail in details.values()]
    started = min(starts, default=None)
    ended = max(ends, default=None) if body["status"] in FINAL else datetime.now(UTC)
    return Execution(
        pipeline=pipeline,
        id=execution_id,
        status=body["status"],
        started=started,
        seconds=(ended - started).total_seconds() if started and ended else None,
        trigger=body.get("trigger", {}).get("triggerType", ""),
        revision=revision.get("revisionId", ""),
        message=revision.get("revisionSummary", ""),
        actions=actions,
    )


def start(codepipeline: Any, pipeline: str, commit: str | None = None) -> str:
    """Start an execution of the branch's newest commit, or of another; returns its id."""
    arguments: dict[str, Any] = {}
    if commit:
        source = codepipeline.get_pipeline(name=pipeline)["pipeline"]["stages"][0]["actions"][0]["name"]
        override = {"actionName": source, "revisionType": "COMMIT_ID", "revisionValue": commit}
        arguments["sourceRevisions"] = [override]
    return codepipeline.start_pipeline_execution(name=pipeline, **arguments)["pipelineExecutionId"]


def stop(codepipeline: Any, pipeline: str, execution: str, reason: str, abandon: bool = False) -> None:
    """Stop an execution when the actions that run have ended, or at once, and abandon them."""
    codepipeline.stop_pipeline_execution(
        pipelineName=pipeline, pipelineExecutionId=execution, reason=reason[:200], abandon=abandon
    )


def retry(codepipeline: Any, pipeline: str, execution: str, stage: str, all_actions: bool = False) -> None:
    """Run a failed stage again: the actions that failed, or all of its actions."""
    mode = "ALL_ACTIONS" if all_actions else "FAILED_ACTIONS"
    codepipeline.retry_stage_execution(
        pipelineName=pipeline, stageName=stage, pipelineExecutionId=execution, retryMode=mode
    )


def go_back(codepipeline: Any, pipeline: str, stage: str, execution: str) -> str:
    """Deploy in a stage what an earlier execution deployed there; returns the id of the execution that does it."""
    return codepipeline.rollback_stage(
        pipelineName=pipeline, stageName=stage, targetPipelineExecutionId=execution
    )["pipelineExecutionId"]


def _action(stage: str, declared: dict[str, Any], detail: dict[str, Any] | None) -> Action:
    provider = declared["actionTypeId"]["provider"]
    if detail is None:
        return Action(stage, declared["name"], provider, "Pending")
    result = detail.get("output", {}).get("executionResult", {})
    error = result.get("errorDetails", {}).get("message", "")
    ended = detail["lastUpdateTime"] if detail["status"] != "InProgress" else None
    until = ended or datetime.now(UTC)
    return Action(
        stage=stage,
        name=declared["name"],
        provider=provider,
        status=detail["status"],
        started=detail["startTime"],
        ended=ended,
        seconds=max(0.0, (until - detail["startTime"]).total_seconds()),
        summary=error or result.get("externalExecutionSummary", ""),
        external_id=result.get("externalExecutionId", ""),
        external_url=result.get("externalExecutionUrl", ""),
        log=result.get("logStreamARN", ""),
    )
