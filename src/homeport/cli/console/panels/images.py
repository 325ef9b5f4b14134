"""The images of the service's repositories: which is in production, and what their scans found."""

from __future__ import annotations

import re
from typing import Any

from homeport.cli import tasks
from homeport.cli.console.delivery import Delivery, Refusals

SHOWN = 6
FINDINGS = 8
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
_REGISTRY = re.compile(r"^\d{12}\.dkr\.ecr[\w.-]*/([^:@]+)")


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`images`, the newest first; `findings`, the worst of the image that runs, else of the newest."""
    ecr, ecs = delivery.client("ecr"), delivery.client("ecs")
    running: dict[str, str] = {}
    for cluster, name in refusals.ask([], lambda: delivery.services):
        found = refusals.ask([], tasks.of_service, ecs, cluster, name, "RUNNING")
        running |= {
            container["imageDigest"]: container.get("image", "")
            for task in found
            for container in task["containers"]
            if container.get("imageDigest")
        }
    hosted = (match[1] for image in running.values() if (match := _REGISTRY.match(image)))
    repositories = refusals.ask([], delivery.of_stack, "AWS::ECR::Repository")
    images: list[dict[str, Any]] = []
    for repository in dict.fromkeys([*repositories, *hosted]):
        images += refusals.ask([], _images, ecr, repository)
    images.sort(key=lambda each: each["imagePushedAt"], reverse=True)
    shown = [
        {"image": each, "runs": each["imageDigest"] in running, **_scan(each)} for each in images[:SHOWN]
    ]
    found = [each for each in shown if each["counts"]]
    worth = next((each for each in found if each["runs"]), next(iter(found), None))
    return {
        "images": shown,
        "findings": refusals.ask([], _findings, ecr, worth["image"]) if worth else [],
        "of": worth,
        "more": max(0, len(images) - SHOWN),
    }


def _images(ecr: Any, repository: str) -> list[dict[str, Any]]:
    pages = ecr.get_paginator("describe_images").paginate(
        repositoryName=repository, PaginationConfig={"MaxItems": 200}
    )
    return [each for page in pages for each in page["imageDetails"]]


def _scan(image: dict[str, Any]) -> dict[str, Any]:
    """The scan of an image: its state, what it says when it failed, and how many findings of each severity."""
    state = image.get("imageScanStatus", {})
    counts = image.get("imageScanFindingsSummary", {}).get("findingSeverityCounts", {})
    return {
        "scan": state.get("status", ""),
        "scan_says": state.get("description", ""),
        "counts": [(severity, counts[severity]) for severity in SEVERITIES if counts.get(severity)],
    }


def _findings(ecr: Any, image: dict[str, Any]) -> list[dict[str, str]]:
    """The worst findings of an image, of a basic or of an enhanced scan."""
    read = ecr.describe_image_scan_findings(
        repositoryName=image["repositoryName"], imageId={"imageDigest": image["imageDigest"]}, maxResults=100
    )["imageScanFindings"]
    basic = [
        {
            "name": each["name"],
            "severity": each["severity"],
            "uri": each.get("uri", ""),
            "package": " ".join(
                one["value"]
                for key in ("package_name", "package_version")
                for one in each.get("attributes", [])
                if one["key"] == key
            ),
        }
        for each in read.get("findings", [])
    ]
    enhanced = [
        {
            "name": each.get("packageVulnerabilityDetails", {}).get("vulnerabilityId", each.get("title", "")),
            "severity": each.get("severity", "UNDEFINED"),
            "uri": each.get("packageVulnerabilityDetails", {}).get("sourceUrl", ""),
            "package": ", ".join(
                f"{one['name']} {one['version']}"
                for one in each.get("packageVulnerabilityDetails", {}).get("vulnerablePackages", [])[:1]
            ),
        }
        for each in read.get("enhancedFindings", [])
    ]
    order = {severity: number for number, severity in enumerate(SEVERITIES)}
    return sorted([*basic, *enhanced], key=lambda each: order.get(each["severity"], 9))[:FINDINGS]
