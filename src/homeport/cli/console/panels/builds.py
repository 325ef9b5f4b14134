"""The builds of the pipeline's projects: their phases, and whose log can be read."""

from __future__ import annotations

from typing import Any

from homeport.cli.console.delivery import Delivery, Refusals

SHOWN = 5
_LABELS = {
    "PROVISIONING": "Provision",
    "DOWNLOAD_SOURCE": "Source",
    "INSTALL": "Install",
    "PRE_BUILD": "Pre-build",
    "BUILD": "Build",
    "POST_BUILD": "Post-build",
    "UPLOAD_ARTIFACTS": "Artifacts",
}


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`builds`, the newest first."""
    codebuild = delivery.client("codebuild")
    found: list[dict[str, Any]] = []
    for project in delivery.projects:
        listed: dict[str, Any] = refusals.ask(
            {}, codebuild.list_builds_for_project, projectName=project, sortOrder="DESCENDING"
        )
        found += refusals.ask([], _builds, delivery, codebuild, listed.get("ids", [])[:SHOWN])
    found.sort(key=lambda each: each["startTime"], reverse=True)
    return {
        "calm": all(each["buildComplete"] for each in found),
        "builds": [{"build": each, "phases": _phases(each), "why": _why(each)} for each in found[:SHOWN]],
        "projects": delivery.projects,
    }


def _builds(delivery: Delivery, codebuild: Any, ids: list[str]) -> list[dict[str, Any]]:
    """Builds; those that have ended are read once."""
    going = [each for each in ids if each not in delivery.ended]
    read = codebuild.batch_get_builds(ids=going)["builds"] if going else []
    delivery.ended |= {each["id"]: each for each in read if each["buildComplete"]}
    known = delivery.ended | {each["id"]: each for each in read}
    return [known[each] for each in ids if each in known]


def _phases(build: dict[str, Any]) -> list[dict[str, Any]]:
    """The phases that people wrote or wait for, with their share of the time in percent and where that begins."""
    phases = [each for each in build.get("phases", []) if each["phaseType"] in _LABELS]
    lengths = [
        (each["endTime"] - each["startTime"]).total_seconds() if each.get("endTime") else 0.0
        for each in phases
    ]
    whole, at, found = sum(lengths) or 1.0, 0.0, []
    for each, seconds in zip(phases, lengths, strict=True):
        share = 100 * seconds / whole
        status = each.get("phaseStatus", "IN_PROGRESS")
        name = _LABELS[each["phaseType"]]
        found.append({"name": name, "status": status, "seconds": seconds, "share": share, "at": at})
        at += share
    return found


def _why(build: dict[str, Any]) -> str:
    """Why a build failed, as its phases say."""
    said = [
        context["message"]
        for phase in build.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message")
    ]
    return said[0] if said and build["buildStatus"] not in ("SUCCEEDED", "IN_PROGRESS") else ""
