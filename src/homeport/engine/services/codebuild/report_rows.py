"""The rows of a test report, which expires 30 days after it was made.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

from __future__ import annotations

from homeport.engine.services.codebuild.tables import REPORT_ITEMS, REPORTS, Row
from homeport.engine.services.context import Context


def keep_report(ctx: Context, report: Row) -> None:
    """Write a new report, whose items are its `_items`, and delete those of its group that have expired; call it in
    the transaction that tells of it."""
    for earlier in REPORTS.list(ctx, reportGroupArn=report["reportGroupArn"]):
        if earlier["expired"] < ctx.now():
            forget_report(ctx, earlier["arn"])
    for number, item in enumerate(report.pop("_items")):
        REPORT_ITEMS.put(ctx, item | {"reportArn": report["arn"], "number": number})
    REPORTS.put(ctx, report)


def forget_report(ctx: Context, arn: str) -> None:
    """Delete a report with its items."""
    for item in REPORT_ITEMS.list(ctx, arn):
        REPORT_ITEMS.delete(ctx, arn, item["number"])
    REPORTS.delete(ctx, arn)
