"""Scans of images: asked for, carried out, told.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
A scan that cannot say anything fails and says why: an image without a known advisory database has no "no findings".
Both kinds of scan, basic and enhanced, look at language packages, too.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import uuid
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_repository, tags_of
from homeport.engine.services.ecr.settings import read_setting
from homeport.engine.services.ecr.storage import layer_files
from homeport.engine.services.ecr.tables import IMAGES, LAYERS, SCANS
from homeport.engine.services.ecr.tokens import issue_token
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.ecr.scanning.finding import Finding

Body = dict[str, Any]
SCANNED = ("COMPLETE", "ACTIVE")
SCANNABLE = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
SCANNING = "scanning-configuration"
RESCAN_EVERY = 60.0
SBOMS = "ecr-sboms"
"""The folder of the SBOMs, `<digest>.cdx.json`: one for each image, in however many repositories it is."""

NO_DATABASE = (
    "The scan failed: there is no advisory database, so that nothing can be said of this image's packages. Add one "
    "with `homeport advisories sync` or `homeport advisories add FILE`, then start the scan again."
)


def start_scan(ctx: Context, image: Body) -> Body:
    """Begin a scan, unless one runs, and return its row. Raises UnsupportedImageTypeException."""
    if image["artifactMediaType"] not in SCANNABLE:
        raise AwsError(
            "UnsupportedImageTypeException", "The image type is not supported: it is no container image"
        )
    scan = SCANS.get(ctx, image["repositoryName"], image["imageDigest"])
    if scan and scan["status"] == "IN_PROGRESS":
        return scan
    scan = _row(image, "IN_PROGRESS", "The scan has begun.")
    target = {"repositoryName": image["repositoryName"], "imageDigest": image["imageDigest"]}
    with ctx.store.transaction():
        SCANS.put(ctx, scan)
        ctx.start(SCAN, str(uuid.uuid4()), target)
    return scan


def scan_if_wanted(ctx: Context, image: Body) -> None:
    """Begin a scan when the repository's settings, or the registry's, say so for what is pushed."""
    name = image["repositoryName"]
    wanted = find_repository(ctx, name)["imageScanningConfiguration"]["scanOnPush"]
    wanted = wanted or scan_frequency(ctx, name)[0] in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
    if wanted and image["artifactMediaType"] in SCANNABLE:
        start_scan(ctx, image)


def scan_frequency(ctx: Context, repository: str) -> tuple[str, list[Body]]:
    """How often the registry's settings have a repository scanned, and the filters that say so."""
    for rule in read_setting(ctx, SCANNING).get("rules") or []:
        filters = [each for each in rule["repositoryFilters"] if fnmatchcase(repository, each["filter"])]
        if filters:
            return rule["scanFrequency"], filters
    return "MANUAL", []


def scan_type(ctx: Context) -> str:
    """BASIC or ENHANCED."""
    return read_setting(ctx, SCANNING).get("scanType", "BASIC")


def scan_summary(ctx: Context, image: Body) -> Body:
    """The members of an image's detail that tell of its last scan; empty when it was never scanned."""
    scan = SCANS.get(ctx, image["repositoryName"], image["imageDigest"])
    if scan is None:
        return {}
    summary: Body = {"imageScanStatus": {"status": scan["status"], "description": scan["description"]}}
    if scan["status"] in SCANNED:
        summary["imageScanFindingsSummary"] = {
            "imageScanCompletedAt": scan["completedAt"],
            "vulnerabilitySourceUpdatedAt": scan["sourceUpdatedAt"],
            "findingSeverityCounts": scan["severityCounts"],
        }
    return summary


async def _run(execution: Execution) -> None:
    ctx, target = execution.ctx, execution.input
    image = IMAGES.get(ctx, target["repositoryName"], target["imageDigest"])
    if image is None:
        return

    async def carry_out() -> Body:
        return await _scan(ctx, image)

    def commit(row: Body) -> None:
        if IMAGES.get(ctx, row["repositoryName"], row["imageDigest"]):
            SCANS.put(ctx, row)
            _tell(ctx, image, row)

    await execution.step("scan", carry_out, commit)


async def _failed(execution: Execution, error: Exception) -> None:
    ctx, target = execution.ctx, execution.input
    if image := IMAGES.get(ctx, target["repositoryName"], target["imageDigest"]):
        row = _row(image, "FAILED", f"The scan failed: {type(error).__name__}.")
        SCANS.put(ctx, row)
        _tell(ctx, image, row)


SCAN = ExecutionKind("ecr.scan", _run, _failed)


async def _scan(ctx: Context, image: Body) -> Body:
    # Imported here: the libraries that read versions and write SBOMs take a third of a second to load.
    from homeport.engine.services.ecr.scanning.external import ScannerFailed, installed_scanner, run_scanner
    from homeport.engine.services.ecr.scanning.filesystem import UnreadableLayer
    from homeport.engine.services.ecr.scanning.matching import OS_ECOSYSTEMS
    from homeport.engine.services.ecr.scanning.scan import scan

    files = layer_files(ctx.engine)
    repository, digest = image["repositoryName"], image["imageDigest"]
    held = [LAYERS.get(ctx, repository, each) for each in image["layers"] if each != image["config"]]
    paths = [files.blobs.path(layer["content"]) for layer in held if layer]
    try:
        result = await asyncio.to_thread(scan, paths, repository, digest, advisories_folder(ctx))
    except UnreadableLayer as error:
        return _row(image, "FAILED", f"UnsupportedImageError: a layer cannot be read: {error}")
    _write_sbom(ctx, digest, result.sbom)
    if scanner := installed_scanner():
        token, _ = issue_token(ctx, 3600.0)
        reference = f"127.0.0.1:{ctx.engine.config.port}/{repository}@{digest}"
        try:
            findings = await run_scanner(scanner, reference, token)
        except ScannerFailed as error:
            return _row(image, "FAILED", f"The scan failed: {scanner.name}: {error}")
        return _found(ctx, image, result.distribution, findings, ctx.now()) | _completed(ctx, ())
    if result.updated_at is None:
        return _row(image, "FAILED", NO_DATABASE)
    found = _found(ctx, image, result.distribution, result.findings, result.updated_at)
    if result.unsupported:
        return found | {
            "status": "UNSUPPORTED_IMAGE",
            "description": f"UnsupportedImageError: the image's packages were not looked at: {result.unsupported}.",
        }
    if own := next((name for name in result.unknown if name in OS_ECOSYSTEMS), None):
        mend = f"`homeport advisories sync {shlex.quote(own)}`"
        text = f"The scan failed: the advisory database knows nothing of {own}: {mend}, then start the scan again."
        return found | {"status": "FAILED", "description": text}
    return found | _completed(ctx, result.unknown)


def _found(
    ctx: Context, image: Body, distribution: str, findings: Sequence[Finding], updated_at: float
) -> Body:
    counts = Counter(each.severity for each in findings)
    found: Body = _row(image, "", "") | {
        "distribution": distribution,
        "enhanced": scan_type(ctx) == "ENHANCED",
    }
    return found | {
        "findings": [each._asdict() for each in findings],
        "severityCounts": dict(counts),
        "completedAt": ctx.now(),
        "sourceUpdatedAt": updated_at,
    }


def _completed(ctx: Context, unknown: Sequence[str]) -> Body:
    status, text = "COMPLETE", "The scan was completed successfully."
    if scan_type(ctx) == "ENHANCED":
        status, text = "ACTIVE", "Continuous scan is selected for image."
    if unknown:
        text += f" Packages of {', '.join(unknown)} were not looked at: the advisory database knows nothing of them."
    return {"status": status, "description": text}


def advisories_folder(ctx: Context) -> Path:
    """Where the advisory database lies."""
    return ctx.engine.folder("advisories")


def _write_sbom(ctx: Context, digest: str, sbom: str) -> None:
    file = ctx.engine.folder(SBOMS) / f"{digest.replace(':', '-')}.cdx.json"
    temporary = file.with_suffix(".new")
    temporary.write_text(sbom)
    os.replace(temporary, file)


async def _rescan(ctx: Context, key: str) -> float:
    """Scan again what is under continuous scan and was scanned with older advisories."""
    files = advisories_folder(ctx).glob("*.*")
    newest = max((file.stat().st_mtime for file in files if file.suffix in (".json", ".zip")), default=0.0)
    for scope, scan in SCANS.everywhere(ctx.store, status="ACTIVE"):
        there = ctx.within(scope)
        image = IMAGES.get(there, scan["repositoryName"], scan["imageDigest"])
        continuous = scan_frequency(there, scan["repositoryName"])[0] == "CONTINUOUS_SCAN"
        if image and continuous and scan["sourceUpdatedAt"] < newest:
            start_scan(there, image)
    return RESCAN_EVERY


def _rescan_keys(engine: Engine) -> list[tuple[Scope, str]]:
    return [(Scope(engine.account, engine.region), "advisories")]


RESCAN = Reconciler("ecr.rescan", _rescan_keys, _rescan)


def _row(image: Body, status: str, description: str) -> Body:
    return {
        "repositoryName": image["repositoryName"],
        "imageDigest": image["imageDigest"],
        "status": status,
        "description": description,
    }


def _tell(ctx: Context, image: Body, row: Body) -> None:
    """Send the event "ECR Image Scan"."""
    detail = {
        "scan-status": "COMPLETE" if row["status"] in SCANNED else "FAILED",
        "repository-name": image["repositoryName"],
        "image-digest": image["imageDigest"],
        "image-tags": tags_of(ctx, image),
        "finding-severity-counts": row.get("severityCounts", {}),
    }
    arn = ctx.arn(f"repository/{image['repositoryName']}", service="ecr")
    ctx.emit("aws.ecr", "ECR Image Scan", detail, [arn])
