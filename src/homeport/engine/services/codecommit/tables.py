"""CodeCommit's tables. Git holds the code; a reference row is the head that was last told of in an event."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Row = dict[str, Any]

REPOSITORIES = Table("codecommit_repositories", key=("repositoryName",), columns=("repositoryId",))
REFERENCES = Table("codecommit_references", key=("repositoryId", "name"))
PULL_REQUESTS = Table(
    "codecommit_pull_requests", key=("number",), columns=("repositoryName", "status", "token")
)
RULE_TEMPLATES = Table("codecommit_approval_rule_templates", key=("approvalRuleTemplateName",))
COMMENTS = Table("codecommit_comments", key=("commentId",), columns=("thread",))


def repository(at: At, name: str) -> Row:
    """The repository row. Raises RepositoryDoesNotExistException."""
    row = REPOSITORIES.get(at, name)
    if row is None:
        raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist")
    return row


def path(ctx: Context, row: Row) -> Path:
    """Where the bare repository lies."""
    return folder(ctx.engine, row["repositoryId"])


def folder(engine: Any, repository_id: str) -> Path:
    """Where the bare repository of this id lies."""
    return engine.folder("codecommit") / f"{repository_id}.git"


def sweep(engine: Any) -> None:
    """Remove the repositories that a killed engine had deleted, or had not finished to make."""
    known = {folder(engine, row["repositoryId"]) for _, row in REPOSITORIES.everywhere(engine.store)}
    for found in engine.folder("codecommit").iterdir():
        if found not in known:
            shutil.rmtree(found, ignore_errors=True)
