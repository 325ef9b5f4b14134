"""The pipelines that there are, and how the newest execution of each went."""

from __future__ import annotations

from typing import Any

from homeport.cli import pipelines
from homeport.cli.console.delivery import Delivery, Refusals

MOST = 12
"""Pipelines whose state is asked for; a list of more has names only."""


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`pipelines` with their states."""
    client = delivery.client("codepipeline")
    names = pipelines.names(client)
    states = {name: refusals.ask("", _state, client, name) for name in names[:MOST]}
    return {"pipelines": [{"name": each, "status": states.get(each, "")} for each in names]}


def _state(client: Any, name: str) -> str:
    found = client.list_pipeline_executions(pipelineName=name, maxResults=1)["pipelineExecutionSummaries"]
    return str(found[0]["status"]) if found else ""
