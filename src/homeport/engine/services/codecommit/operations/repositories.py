"""Repositories: create, read, rename, delete, tag.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateRepository.html
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from typing import Any

from homeport.engine.services.codecommit import git, tables
from homeport.engine.services.codecommit.tables import PULL_REQUESTS, REFERENCES, REPOSITORIES, Row
from homeport.engine.services.codecommit.triggers import fire
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_repository(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create an empty repository."""
    name = request["repositoryName"]
    _check_name(ctx, name)
    now = ctx.now()
    row = {
        "repositoryName": name,
        "repositoryId": str(uuid.uuid4()),
        "repositoryDescription": request.get("repositoryDescription"),
        "kmsKeyId": request.get("kmsKeyId") or ctx.arn("alias/aws/codecommit", service="kms"),
        "tags": request.get("tags", {}),
        "defaultBranch": None,
        "creationDate": now,
        "lastModifiedDate": now,
        "offset": 0,
    }
    await git.create(tables.path(ctx, row))
    with ctx.store.transaction():
        _check_name(ctx, name)
        REPOSITORIES.put(ctx, row)
    return {"repositoryMetadata": metadata(ctx, row)}


def _check_name(ctx: Context, name: str) -> None:
    if name.endswith(".git"):
        raise AwsError("InvalidRepositoryNameException", "A repository name cannot end in .git")
    if REPOSITORIES.get(ctx, name):
        raise AwsError("RepositoryNameExistsException", f"Repository named {name} already exists")


def metadata(ctx: Context, row: Row) -> Row:
    """A repository as AWS shows it. `cloneUrlHttp` leads to this engine: names under `localhost` are this machine,
    and the aws cli's credential helper finds the region, and that the host is AWS's, in the rest of the name."""
    host = f"git-codecommit.{ctx.region}.amazonaws.com.localhost:{ctx.engine.config.port}"
    shown = {
        "accountId": ctx.account,
        "repositoryId": row["repositoryId"],
        "repositoryName": row["repositoryName"],
        "repositoryDescription": row["repositoryDescription"],
        "defaultBranch": row["defaultBranch"],
        "lastModifiedDate": row["lastModifiedDate"],
        "creationDate": row["creationDate"],
        "cloneUrlHttp": f"http://{host}/v1/repos/{row['repositoryName']}",
        "cloneUrlSsh": f"ssh://git-codecommit.{ctx.region}.amazonaws.com/v1/repos/{row['repositoryName']}",
        "Arn": ctx.arn(row["repositoryName"]),
        "kmsKeyId": row["kmsKeyId"],
    }
    return {key: value for key, value in shown.items() if value is not None}


@operation
async def get_repository(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One repository."""
    return {"repositoryMetadata": metadata(ctx, tables.repository(ctx, request["repositoryName"]))}


@operation
async def batch_get_repositories(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Several repositories at once."""
    found = {name: REPOSITORIES.get(ctx, name) for name in request["repositoryNames"]}
    return {
        "repositories": [metadata(ctx, row) for row in found.values() if row],
        "repositoriesNotFound": [name for name, row in found.items() if not row],
    }


@operation
async def list_repositories(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All repositories of the region, by name or by when they were changed."""
    by_date = request.get("sortBy") == "lastModifiedDate"
    sign = -1 if request.get("order") == "descending" else 1
    rows = REPOSITORIES.list(ctx)
    if by_date:
        rows.sort(key=lambda row: sign * row["lastModifiedDate"])
        return {"repositories": [_pair(row) for row in rows]}
    if sign < 0:
        return {"repositories": [_pair(row) for row in reversed(rows)]}
    rows, token = page(
        rows,
        1000,
        request.get("nextToken"),
        lambda row: row["repositoryName"],
        "InvalidContinuationTokenException",
    )
    return {"repositories": [_pair(row) for row in rows], "nextToken": token}


def _pair(row: Row) -> Row:
    return {"repositoryName": row["repositoryName"], "repositoryId": row["repositoryId"]}


@operation
async def delete_repository(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a repository and all of its code; deleting none is no error."""
    row = REPOSITORIES.get(ctx, request["repositoryName"])
    if row is None:
        return {}
    with ctx.store.transaction():
        REPOSITORIES.delete(ctx, row["repositoryName"])
        for reference in REFERENCES.list(ctx, row["repositoryId"]):
            REFERENCES.delete(ctx, row["repositoryId"], reference["name"])
        for pull_request in PULL_REQUESTS.list(ctx, repositoryName=row["repositoryName"]):
            PULL_REQUESTS.delete(ctx, pull_request["number"])
    await asyncio.to_thread(shutil.rmtree, tables.path(ctx, row), ignore_errors=True)
    return {"repositoryId": row["repositoryId"]}


@operation
async def update_repository_name(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Rename a repository."""
    row = tables.repository(ctx, request["oldName"])
    _check_name(ctx, request["newName"])
    with ctx.store.transaction():
        REPOSITORIES.delete(ctx, row["repositoryName"])
        REPOSITORIES.put(ctx, row | {"repositoryName": request["newName"], "lastModifiedDate": ctx.now()})
        for pull_request in PULL_REQUESTS.list(ctx, repositoryName=row["repositoryName"]):
            PULL_REQUESTS.put(ctx, pull_request | {"repositoryName": request["newName"]})
    return {}


@operation
async def update_repository_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change or remove the description."""
    row = tables.repository(ctx, request["repositoryName"])
    changed = {"repositoryDescription": request.get("repositoryDescription"), "lastModifiedDate": ctx.now()}
    REPOSITORIES.put(ctx, row | changed)
    return {}


@operation
async def put_repository_triggers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Replace the repository's triggers."""
    row = tables.repository(ctx, request["repositoryName"])
    names = [trigger["name"] for trigger in request["triggers"]]
    if len(names) > 10:
        raise AwsError(
            "MaximumRepositoryTriggersExceededException", "A repository can have at most 10 triggers"
        )
    if len(set(names)) < len(names):
        raise AwsError(
            "InvalidRepositoryTriggerNameException", "Trigger names must be unique in a repository"
        )
    configuration = str(uuid.uuid4())
    triggers = [{**trigger, "configurationId": configuration} for trigger in request["triggers"]]
    REPOSITORIES.put(ctx, row | {"triggers": triggers, "triggersConfigurationId": configuration})
    return {"configurationId": configuration}


@operation
async def get_repository_triggers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The repository's triggers."""
    row = tables.repository(ctx, request["repositoryName"])
    triggers = [
        {key: value for key, value in trigger.items() if key != "configurationId"}
        for trigger in row.get("triggers", ())
    ]
    return {"configurationId": row.get("triggersConfigurationId"), "triggers": triggers}


@operation
async def test_repository_triggers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Send a test event to each of the given triggers."""
    row = tables.repository(ctx, request["repositoryName"])
    detail = {
        "event": "referenceUpdated",
        "referenceFullName": f"refs/heads/{row['defaultBranch'] or 'main'}",
        "repositoryId": row["repositoryId"],
        "callerUserArn": ctx.principal.arn,
        "commitId": git.NULL,
    }
    succeeded, failed = [], []
    for trigger in request["triggers"]:
        try:
            await fire(ctx, trigger, row["repositoryName"], detail)
            succeeded.append(trigger["name"])
        except AwsError as error:
            failed.append({"trigger": trigger["name"], "failureMessage": error.message})
    return {"successfulExecutions": succeeded, "failedExecutions": failed}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add or replace tags."""
    row = _by_arn(ctx, request["resourceArn"])
    REPOSITORIES.put(ctx, row | {"tags": row["tags"] | request["tags"]})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key."""
    row = _by_arn(ctx, request["resourceArn"])
    tags = {key: value for key, value in row["tags"].items() if key not in request["tagKeys"]}
    REPOSITORIES.put(ctx, row | {"tags": tags})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All tags."""
    return {"tags": _by_arn(ctx, request["resourceArn"])["tags"]}


def _by_arn(ctx: Context, arn: str) -> Row:
    if not arn.startswith(ctx.arn("")):
        raise AwsError("InvalidResourceArnException", f"{arn} is not the ARN of a repository of this region")
    return tables.repository(ctx, arn.rpartition(":")[2])
