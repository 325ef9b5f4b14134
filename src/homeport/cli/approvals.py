"""Manual approvals that a pipeline waits for, and the answer to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that waits for its answer: `execution` is the one that stands at it, `link` what there is to look
    at first. The token is that of this one question, so that an answer never meets another version."""

    pipeline: str
    stage: str
    action: str
    token: str
    execution: str
    since: datetime | None = None
    link: str = ""


def waiting(codepipeline: Any, pipeline: str) -> list[Approval]:
    """The approvals that a pipeline waits for, in the order of its stages."""
    found = []
    for stage in codepipeline.get_pipeline_state(name=pipeline)["stageStates"]:
        for action in stage["actionStates"]:
            latest = action.get("latestExecution", {})
            if latest.get("token") and latest["status"] == "InProgress":
                found.append(
                    Approval(
                        pipeline,
                        stage["stageName"],
                        action["actionName"],
                        latest["token"],
                        stage.get("latestExecution", {}).get("pipelineExecutionId", ""),
                        latest.get("lastStatusChange"),
                        action.get("entityUrl", ""),
                    )
                )
    return found


def answer(codepipeline: Any, approval: Approval, result: str, comment: str) -> None:
    """Let the version in (`Approved`), or not (`Rejected`); the comment stands in the history."""
    codepipeline.put_approval_result(
        pipelineName=approval.pipeline,
        stageName=approval.stage,
        actionName=approval.action,
        result={"summary": comment[:512], "status": result},
        token=approval.token,
    )
