"""CodeBuild's tables. Bodies have AWS's shapes; members whose names begin with `_` are homeport's own."""

from __future__ import annotations

from typing import Any

from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Row = dict[str, Any]

PROJECTS = Table("codebuild_projects", key=("name",))
BUILDS = Table(
    "codebuild_builds",
    key=("id",),
    columns=("projectName", "buildStatus", "idempotencyToken", "buildBatchArn"),
)
BATCHES = Table(
    "codebuild_batches", key=("id",), columns=("projectName", "buildBatchStatus", "idempotencyToken")
)
TRANSCRIPTS = Table("codebuild_transcripts", key=("id",))
REPORT_GROUPS = Table("codebuild_report_groups", key=("arn",))
REPORTS = Table("codebuild_reports", key=("arn",), columns=("reportGroupArn", "status"))
REPORT_ITEMS = Table("codebuild_report_items", key=("reportArn", "number"))
STATUSES = Table("codebuild_statuses", key=("arn",))
CREDENTIALS = Table("codebuild_credentials", key=("arn",))
POLICIES = Table("codebuild_policies", key=("arn",))

IN_PROGRESS = "IN_PROGRESS"
_HIDDEN = ("idempotencyToken",)


def shown(row: Row) -> Row:
    """The row as AWS shows it."""
    return {name: value for name, value in row.items() if not name.startswith("_") and name not in _HIDDEN}


def project(at: At, name: str) -> Row:
    """The project of a name or an ARN. Raises ResourceNotFoundException."""
    row = PROJECTS.get(at, name.rpartition(":project/")[2])
    if row is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"Project cannot be found: arn:aws:codebuild:{at.scope.region}:{at.scope.account}:project/{name}",
        )
    return row


def build_id(id: str) -> str:
    """`project:uuid`, also of a build's ARN."""
    return id.rpartition(":build/")[2] if id.startswith("arn:") else id


def build(at: At, id: str) -> Row:
    """The build of an id or an ARN. Raises ResourceNotFoundException."""
    row = BUILDS.get(at, build_id(id))
    if row is None:
        raise AwsError("ResourceNotFoundException", f"Build cannot be found: {id}")
    return row
