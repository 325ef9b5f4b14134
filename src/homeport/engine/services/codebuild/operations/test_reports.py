"""Reports: read, list, delete; their test cases and covered files; trends.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetReports.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codebuild.operations.report_groups import report_group
from homeport.engine.services.codebuild.report_files import percentage
from homeport.engine.services.codebuild.report_rows import forget_report
from homeport.engine.services.codebuild.tables import REPORT_ITEMS, REPORTS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100


@operation
async def batch_get_reports(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Reports by ARN."""
    found = {arn: REPORTS.get(ctx, arn) for arn in request["reportArns"]}
    return {
        "reports": [row for row in found.values() if row],
        "reportsNotFound": [arn for arn, row in found.items() if not row],
    }


@operation
async def list_reports(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ARNs of all reports."""
    return _listed(REPORTS.list(ctx), request)


@operation
async def list_reports_for_report_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ARNs of a group's reports."""
    group = report_group(ctx, request["reportGroupArn"])
    return _listed(REPORTS.list(ctx, reportGroupArn=group["arn"]), request)


def _listed(rows: list[Row], request: dict[str, Any]) -> dict[str, Any]:
    if status := request.get("filter", {}).get("status"):
        rows = [row for row in rows if row["status"] == status]
    sign = 1 if request.get("sortOrder") == "ASCENDING" else -1
    keyed = sorted((sign * row["created"], row["arn"]) for row in rows)
    size = request.get("maxResults", _PAGE)
    chunk, token = page(keyed, size, request.get("nextToken"), lambda item: item, "InvalidInputException")
    return {"reports": [arn for _, arn in chunk], "nextToken": token}


@operation
async def delete_report(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a report."""
    with ctx.store.transaction():
        forget_report(ctx, request["arn"])
    return {}


@operation
async def describe_test_cases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The test cases of a report."""
    report = _report(ctx, request["reportArn"])
    wanted = request.get("filter", {})
    items = [
        item
        for item in REPORT_ITEMS.list(ctx, report["arn"])
        if wanted.get("status", item["status"]) == item["status"]
        and wanted.get("keyword", "").lower() in item["name"].lower()
    ]
    size = request.get("maxResults", _PAGE)
    chunk, token = page(
        items, size, request.get("nextToken"), lambda item: item["number"], "InvalidInputException"
    )
    return {"testCases": [_test_case(report, item) for item in chunk], "nextToken": token}


def _test_case(report: Row, item: Row) -> Row:
    return {
        "reportArn": report["arn"],
        "testRawDataPath": item["file"],
        "prefix": item["prefix"],
        "name": item["name"],
        "status": item["status"],
        "durationInNanoSeconds": item["duration"],
        "message": item["message"],
        "expired": report["expired"],
        "testSuiteName": item["suite"],
    }


@operation
async def describe_code_coverages(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The covered files of a report."""
    report = _report(ctx, request["reportArn"])
    low = request.get("minLineCoveragePercentage", 0)
    high = request.get("maxLineCoveragePercentage", 100)
    rows = [_coverage(report, item) for item in REPORT_ITEMS.list(ctx, report["arn"])]
    rows = [row for row in rows if low <= row["lineCoveragePercentage"] <= high]
    field = "filePath" if request.get("sortBy") == "FILE_PATH" else "lineCoveragePercentage"
    rows.sort(key=lambda row: (row[field], row["id"]), reverse=request.get("sortOrder") == "DESCENDING")
    numbered = list(enumerate(rows))
    size = request.get("maxResults", _PAGE)
    chunk, token = page(
        numbered, size, request.get("nextToken"), lambda item: item[0], "InvalidInputException"
    )
    return {"codeCoverages": [row for _, row in chunk], "nextToken": token}


def _coverage(report: Row, item: Row) -> Row:
    return {
        "id": f"{report['arn']}/{item['number']}",
        "reportARN": report["arn"],
        "filePath": item["path"],
        "lineCoveragePercentage": percentage(item["lines_covered"], item["lines_missed"]),
        "linesCovered": item["lines_covered"],
        "linesMissed": item["lines_missed"],
        "branchCoveragePercentage": percentage(item["branches_covered"], item["branches_missed"]),
        "branchesCovered": item["branches_covered"],
        "branchesMissed": item["branches_missed"],
        "expired": report["expired"],
    }


_TRENDS = {
    "PASS_RATE": lambda row: 100 * _counts(row)["SUCCEEDED"] / max(1, row["testSummary"]["total"]),
    "DURATION": lambda row: row["testSummary"]["durationInNanoSeconds"],
    "TOTAL": lambda row: row["testSummary"]["total"],
    "LINE_COVERAGE": lambda row: row["codeCoverageSummary"]["lineCoveragePercentage"],
    "LINES_COVERED": lambda row: row["codeCoverageSummary"]["linesCovered"],
    "LINES_MISSED": lambda row: row["codeCoverageSummary"]["linesMissed"],
    "BRANCH_COVERAGE": lambda row: row["codeCoverageSummary"]["branchCoveragePercentage"],
    "BRANCHES_COVERED": lambda row: row["codeCoverageSummary"]["branchesCovered"],
    "BRANCHES_MISSED": lambda row: row["codeCoverageSummary"]["branchesMissed"],
}


def _counts(row: Row) -> dict[str, int]:
    counts: dict[str, int] = row["testSummary"]["statusCounts"]
    return counts


@operation
async def get_report_group_trend(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """How a number of a group's reports goes."""
    group = report_group(ctx, request["reportGroupArn"])
    field = request["trendField"]
    coverage = "COVER" in field or "MISSED" in field
    if coverage != (group["type"] == "CODE_COVERAGE"):
        raise AwsError(
            "InvalidInputException", f"Report group {group['arn']} of type {group['type']} has no {field}"
        )
    rows = sorted(REPORTS.list(ctx, reportGroupArn=group["arn"]), key=lambda row: -row["created"])
    values = [(row["arn"], float(_TRENDS[field](row))) for row in rows[: request.get("numOfReports", _PAGE)]]
    if not values:
        return {"rawData": []}
    numbers = [value for _, value in values]
    stats = {"average": sum(numbers) / len(numbers), "max": max(numbers), "min": min(numbers)}
    return {
        "stats": {name: f"{value:g}" for name, value in stats.items()},
        "rawData": [{"reportArn": arn, "data": f"{value:g}"} for arn, value in values],
    }


def _report(ctx: Context, arn: str) -> Row:
    row = REPORTS.get(ctx, arn)
    if row is None:
        raise AwsError("ResourceNotFoundException", f"Report cannot be found: {arn}")
    return row
