"""Report groups: create, read, update, delete, list.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateReportGroup.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codebuild.report_rows import forget_report
from homeport.engine.services.codebuild.tables import REPORT_GROUPS, REPORTS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100


@operation
async def create_report_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a report group."""
    _check(request["exportConfig"])
    arn = ctx.arn(f"report-group/{request['name']}")
    if REPORT_GROUPS.get(ctx, arn):
        raise AwsError("ResourceAlreadyExistsException", f"Report group already exists: {arn}")
    now = ctx.now()
    row: Row = {"tags": [], **request, "arn": arn, "created": now, "lastModified": now, "status": "ACTIVE"}
    REPORT_GROUPS.put(ctx, row)
    return {"reportGroup": row}


@operation
async def update_report_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change a report group's export or tags."""
    row = report_group(ctx, request["arn"])
    _check(request.get("exportConfig", {}))
    row |= {key: request[key] for key in ("exportConfig", "tags") if key in request} | {
        "lastModified": ctx.now()
    }
    REPORT_GROUPS.put(ctx, row)
    return {"reportGroup": row}


@operation
async def batch_get_report_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Report groups by ARN."""
    found = {arn: REPORT_GROUPS.get(ctx, arn) for arn in request["reportGroupArns"]}
    return {
        "reportGroups": [row for row in found.values() if row],
        "reportGroupsNotFound": [arn for arn, row in found.items() if not row],
    }


@operation
async def list_report_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ARNs of all report groups."""
    field = {"NAME": "name", "LAST_MODIFIED_TIME": "lastModified"}.get(request.get("sortBy", ""), "created")
    rows = sorted(REPORT_GROUPS.list(ctx), key=lambda row: (row[field], row["arn"]))
    if request.get("sortOrder", "DESCENDING") == "DESCENDING":
        rows.reverse()
    numbered = [(number, row["arn"]) for number, row in enumerate(rows)]
    size = request.get("maxResults", _PAGE)
    chunk, token = page(
        numbered, size, request.get("nextToken"), lambda item: item[0], "InvalidInputException"
    )
    return {"reportGroups": [arn for _, arn in chunk], "nextToken": token}


@operation
async def delete_report_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a report group; with `deleteReports` also its reports."""
    arn = request["arn"]
    reports = REPORTS.list(ctx, reportGroupArn=arn)
    if reports and not request.get("deleteReports"):
        raise AwsError(
            "InvalidInputException",
            f"Report group {arn} has {len(reports)} reports: delete them first, or pass deleteReports",
        )
    with ctx.store.transaction():
        for report in reports:
            forget_report(ctx, report["arn"])
        REPORT_GROUPS.delete(ctx, arn)
    return {}


def _check(export: dict[str, Any]) -> None:
    if export.get("exportConfigType") == "S3" and not export.get("s3Destination", {}).get("bucket"):
        raise AwsError("InvalidInputException", "Invalid export config: s3Destination needs a bucket")


def report_group(ctx: Context, arn: str) -> Row:
    """The report group. Raises ResourceNotFoundException."""
    row = REPORT_GROUPS.get(ctx, arn)
    if row is None:
        raise AwsError("ResourceNotFoundException", f"Report group cannot be found: {arn}")
    return row
