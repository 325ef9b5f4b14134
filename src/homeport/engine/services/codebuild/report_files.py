"""A build's reports: result files become the test cases or covered files of a report in a report group.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

from __future__ import annotations

import asyncio
import posixpath
import uuid
from collections import Counter
from dataclasses import asdict
from typing import Any

from homeport.engine.services.codebuild import container
from homeport.engine.services.codebuild.buildspec import Buildspec, Report
from homeport.engine.services.codebuild.collect import Picked, collect
from homeport.engine.services.codebuild.report_export import export
from homeport.engine.services.codebuild.reports import (
    COVERAGE_FORMATS,
    CoveredFile,
    TestCase,
    Unreadable,
    parse_coverage,
    parse_tests,
)
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

MOST_CASES, LONGEST_NAME, LONGEST_MESSAGE = 500, 1_000, 5_000
"""Test cases of a report, and characters of each.
https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html"""
LIFETIME = 30 * 24 * 3600.0
STATUSES = ("ERROR", "FAILED", "SKIPPED", "SUCCEEDED", "UNKNOWN")


async def store(
    ctx: Context, build: Row, spec: Buildspec, directory: str, workspace: Workspace
) -> tuple[list[Row], list[str]]:
    """The reports of a build, each with its items under `_items`, and the lines for the log."""
    made, said = [], []
    for number, wanted in enumerate(spec.reports):
        said.append(f"Preparing to copy {_kind(wanted)} report {wanted.group}")
        folder = workspace.artifacts(f"report-{number}")
        base = posixpath.normpath(posixpath.join(directory, wanted.base_directory or "."))
        own = container.name(ctx.engine.docker, build["id"])
        picked = await collect(ctx.engine.docker, own, base, wanted.files, folder)
        if not picked:
            said.append(f"No matching report files found for report group {wanted.group}")
            continue
        try:
            report = await _report(ctx, build, wanted, picked, said)
        except AwsError as error:
            said.append(f"The report group {wanted.group} cannot be used: {error.message}")
            continue
        made.append(report)
        try:
            place = await export(ctx, build, wanted, report, picked, folder)
        except AwsError as error:
            said.append(f"The results of report group {wanted.group} cannot be exported: {error.message}")
        else:
            said += [f"Exported the results of report group {wanted.group} to {place}"] if place else []
    return made, said


def _kind(wanted: Report) -> str:
    return "code coverage" if wanted.file_format in COVERAGE_FORMATS else "test"


async def _report(ctx: Context, build: Row, wanted: Report, picked: list[Picked], said: list[str]) -> Row:
    coverage = wanted.file_format in COVERAGE_FORMATS
    group = await _group(ctx, build, wanted, "CODE_COVERAGE" if coverage else "TEST")
    items: list[Any] = []
    status = "SUCCEEDED"
    for each in picked:
        content = each.file.read_bytes()
        parse: Any = parse_coverage if coverage else parse_tests
        try:
            found = await asyncio.to_thread(parse, wanted.file_format, content)
        except Unreadable as error:
            status = "INCOMPLETE"
            said.append(f"{each.path} is not read: {error}")
            continue
        items += [asdict(item) | {"file": each.path} for item in found]
    if not coverage and any(item["status"] in ("FAILED", "ERROR") for item in items):
        status = "FAILED"
    name = f"{group['arn'].rpartition('/')[2]}:{uuid.uuid5(uuid.NAMESPACE_URL, build['id'] + wanted.group)}"
    now = ctx.now()
    report: Row = {
        "arn": ctx.arn(f"report/{name}"),
        "type": group["type"],
        "name": name.partition(":")[2],
        "reportGroupArn": group["arn"],
        "executionId": build["arn"],
        "status": status,
        "created": now,
        "expired": now + LIFETIME,
        "exportConfig": group["exportConfig"],
        "truncated": not coverage and len(items) > MOST_CASES,
        "_items": items if coverage else [_shortened(item) for item in items[:MOST_CASES]],
    }
    if coverage:
        report["codeCoverageSummary"] = coverage_summary(
            [CoveredFile(**_without_file(item)) for item in items]
        )
    else:
        report["testSummary"] = _test_summary([TestCase(**_without_file(item)) for item in items])
    said.append(
        f"{_kind(wanted).capitalize()} report {wanted.group}: {len(items)} items from {len(picked)} file(s)"
    )
    return report


def _shortened(case: Row) -> Row:
    return case | {
        "name": case["name"][:LONGEST_NAME],
        "message": case["message"][:LONGEST_MESSAGE],
    }


def _without_file(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "file"}


async def _group(ctx: Context, build: Row, wanted: Report, kind: str) -> Row:
    """The report group that is meant; one that is only named is made, as `<project>-<name>`, by the build's role."""
    codebuild = ctx.client("codebuild", role=build["serviceRole"])
    arn = wanted.group
    if not arn.startswith("arn:"):
        arn = ctx.arn(f"report-group/{build['projectName']}-{wanted.group}")
    found = await ctx.client("codebuild", as_service=True).batch_get_report_groups(reportGroupArns=[arn])
    if found["reportGroups"]:
        group: Row = found["reportGroups"][0]
        return group
    name = arn.rpartition("/")[2]
    made = await codebuild.create_report_group(
        name=name, type=kind, exportConfig={"exportConfigType": "NO_EXPORT"}
    )
    created: Row = made["reportGroup"]
    return created


def _test_summary(cases: list[TestCase]) -> Row:
    counts = Counter(case.status for case in cases)
    return {
        "total": len(cases),
        "statusCounts": {status: counts[status] for status in STATUSES},
        "durationInNanoSeconds": sum(case.duration for case in cases),
    }


def coverage_summary(files: list[CoveredFile]) -> Row:
    """Sums and percentages over files."""
    sums = {
        "linesCovered": sum(file.lines_covered for file in files),
        "linesMissed": sum(file.lines_missed for file in files),
        "branchesCovered": sum(file.branches_covered for file in files),
        "branchesMissed": sum(file.branches_missed for file in files),
    }
    return {
        "lineCoveragePercentage": percentage(sums["linesCovered"], sums["linesMissed"]),
        "branchCoveragePercentage": percentage(sums["branchesCovered"], sums["branchesMissed"]),
        **sums,
    }


def percentage(covered: int, missed: int) -> float:
    """Of what there is; all of nothing is none."""
    return round(100 * covered / (covered + missed), 2) if covered + missed else 0.0
