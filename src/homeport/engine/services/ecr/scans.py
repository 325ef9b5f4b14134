"""Scans of images: their rows, and what DescribeImages tells of them."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tables import SCANS

Body = dict[str, Any]


def scan_summary(ctx: Context, image: Body) -> Body:
    """The members of an image's detail that tell of its last scan; empty when it was never scanned."""
    scan = SCANS.get(ctx, image["repositoryName"], image["imageDigest"])
    if scan is None:
        return {}
    summary: Body = {"imageScanStatus": {"status": scan["status"], "description": scan["description"]}}
    if scan["status"] == "COMPLETE":
        summary["imageScanFindingsSummary"] = {
            "imageScanCompletedAt": scan["completedAt"],
            "vulnerabilitySourceUpdatedAt": scan["sourceUpdatedAt"],
            "findingSeverityCounts": scan["severityCounts"],
        }
    return summary
