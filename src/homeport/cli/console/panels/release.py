"""The pipeline: its newest executions with their stages and actions, and the approvals that it waits for."""

from __future__ import annotations

from typing import Any

from homeport.cli import approvals, pipelines
from homeport.cli.console.delivery import Delivery, Refusals

SHOWN = 8


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`runs`, the newest first, and `calm`, when none is under way; `approvals` with what their authors ask;
    `last_stage`, in which versions go back; `good`, the last that succeeded."""
    client = delivery.client("codepipeline")
    page = client.list_pipeline_executions(pipelineName=delivery.name, maxResults=SHOWN)
    runs = []
    for summary in page["pipelineExecutionSummaries"]:
        run = refusals.ask(None, _run, delivery, client, summary)
        runs += [{"summary": summary, "execution": run}] if run else []
    waits = any(
        action.status == "InProgress" and action.provider == "Manual"
        for run in runs
        for action in run["execution"].actions
    )
    found = refusals.ask([], approvals.waiting, client, delivery.name) if waits else []
    declared = refusals.ask(None, lambda: delivery.declared)
    return {
        "calm": all(run["execution"].final for run in runs),
        "runs": runs,
        "approvals": [{"approval": each, "asks": _asks(declared, each)} for each in found],
        "last_stage": declared["stages"][-1]["name"] if declared else "",
        "good": next((run for run in runs if run["execution"].status == "Succeeded"), None),
    }


def _run(delivery: Delivery, client: Any, summary: dict[str, Any]) -> pipelines.Execution:
    """An execution; one that has ended is read once, until it changes: a stage may be retried."""
    id, status = summary["pipelineExecutionId"], summary["status"]
    key = f"{id} {status} {summary['lastUpdateTime']}"
    if key not in delivery.ended:
        run = pipelines.read(client, delivery.name, id)
        if not (run.final and status == run.status):
            return run
        delivery.ended[key] = run
    found: pipelines.Execution = delivery.ended[key]
    return found


def _asks(declared: dict[str, Any] | None, approval: approvals.Approval) -> str:
    for stage in declared["stages"] if declared else ():
        for action in stage["actions"]:
            if (stage["name"], action["name"]) == (approval.stage, approval.action):
                return str(action.get("configuration", {}).get("CustomData", ""))
    return ""
