"""Build projects: create, read, update, delete, list.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
"""

from __future__ import annotations

import secrets
from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.launch import check_role
from homeport.engine.services.codebuild.tables import BUILDS, PROJECTS, Row, shown
from homeport.engine.services.codebuild.validation import check_project
from homeport.engine.services.codebuild.warming import Warming
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100
_ROLES = {"serviceRole": "codebuild.amazonaws.com", "buildBatchConfig.serviceRole": "codebuild.amazonaws.com"}
_DEFAULT_TIMEOUT = 60
_DEFAULT_QUEUED_TIMEOUT = 480
_REMOVED_BY_EMPTY = ("description", "sourceVersion", "vpcConfig", "buildBatchConfig")


@operation(pass_role=_ROLES)
async def create_project(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a build project."""
    name = request["name"]
    if PROJECTS.get(ctx, name):
        raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {_arn(ctx, name)}")
    badge = request.pop("badgeEnabled", False)
    now = ctx.now()
    row: Row = {
        "arn": _arn(ctx, name),
        "timeoutInMinutes": _DEFAULT_TIMEOUT,
        "queuedTimeoutInMinutes": _DEFAULT_QUEUED_TIMEOUT,
        "encryptionKey": ctx.arn("alias/aws/s3", service="kms"),
        "cache": {"type": "NO_CACHE"},
        "tags": [],
        "projectVisibility": "PRIVATE",
        **request,
        "created": now,
        "lastModified": now,
        "_builds": 0,
        "_badge": secrets.token_urlsafe(24),
    }
    _complete(row)
    row["badge"] = _badge(ctx, row, badge)
    check_project(row)
    check_role(ctx, row["serviceRole"])
    PROJECTS.put(ctx, row)
    ctx.engine.part(Warming).want(row["environment"]["image"])
    return {"project": shown(row)}


@operation(pass_role=_ROLES)
async def update_project(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Replace the settings that the request has."""
    row = tables.project(ctx, request["name"])
    badge = request.pop("badgeEnabled", row["badge"]["badgeEnabled"])
    row |= request
    for name in _REMOVED_BY_EMPTY:
        if name in request and not request[name]:
            del row[name]
    if request.get("concurrentBuildLimit") == -1:
        del row["concurrentBuildLimit"]
    row["lastModified"] = ctx.now()
    _complete(row)
    row["badge"] = _badge(ctx, row, badge)
    check_project(row)
    check_role(ctx, row["serviceRole"])
    PROJECTS.put(ctx, row)
    return {"project": shown(row)}


@operation
async def batch_get_projects(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Projects by name or ARN, and the names that there are none of."""
    found, missing = [], []
    for name in dict.fromkeys(request["names"]):
        row = PROJECTS.get(ctx, name.rpartition(":project/")[2])
        (found.append(shown(row)) if row else missing.append(name))
    return {"projects": found, "projectsNotFound": missing}


@operation
async def list_projects(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The names of all projects."""
    field = {"CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}.get(
        request.get("sortBy", ""), "name"
    )
    rows = sorted(PROJECTS.list(ctx), key=lambda row: (row[field], row["name"]))
    if request.get("sortOrder") == "DESCENDING":
        rows.reverse()
    names = [row["name"] for row in rows]
    chunk, token = page(
        list(enumerate(names)), _PAGE, request.get("nextToken"), lambda item: item[0], "InvalidInputException"
    )
    return {"projects": [name for _, name in chunk], "nextToken": token}


@operation
async def delete_project(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a project; its builds go with it, those that run go on to their end."""
    name = request["name"].rpartition(":project/")[2]
    with ctx.store.transaction():
        PROJECTS.delete(ctx, name)
        for build in BUILDS.list(ctx, projectName=name):
            if build["buildComplete"]:
                BUILDS.delete(ctx, build["id"])
    return {}


@operation
async def invalidate_project_cache(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Have the next build begin without the cache."""
    row = tables.project(ctx, request["projectName"])
    PROJECTS.put(ctx, row | {"_cacheGeneration": row.get("_cacheGeneration", 0) + 1})
    return {}


@operation
async def update_project_visibility(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make a project's builds public or private."""
    row = tables.project(ctx, request["projectArn"])
    row["projectVisibility"] = request["projectVisibility"]
    answer = {"projectArn": row["arn"], "projectVisibility": row["projectVisibility"]}
    if row["projectVisibility"] == "PUBLIC_READ":
        row["publicProjectAlias"] = row.get("publicProjectAlias") or secrets.token_urlsafe(24)
        answer["publicProjectAlias"] = row["publicProjectAlias"]
        if role := request.get("resourceAccessRole"):
            row["resourceAccessRole"] = role
    PROJECTS.put(ctx, row)
    return answer


def _arn(ctx: Context, name: str) -> str:
    return ctx.arn(f"project/{name}")


def _complete(row: Row) -> None:
    """What AWS fills in."""
    row["environment"] = {
        "environmentVariables": [],
        "privilegedMode": False,
        "imagePullCredentialsType": "CODEBUILD",
        **row["environment"],
    }
    for variable in row["environment"]["environmentVariables"]:
        variable.setdefault("type", "PLAINTEXT")
    if row["artifacts"]["type"] == "S3":
        row["artifacts"] = {
            "packaging": "NONE",
            "name": row["name"],
            "namespaceType": "NONE",
            **row["artifacts"],
        }
    if not row["serviceRole"].startswith("arn:"):
        account = row["arn"].split(":")[4]
        row["serviceRole"] = f"arn:aws:iam::{account}:role/{row['serviceRole']}"


def _badge(ctx: Context, row: Row, enabled: bool) -> Row:
    config = ctx.engine.config
    url = f"http://{config.host}:{config.port}/badges?uuid={row['_badge']}&branch=main"
    return {"badgeEnabled": True, "badgeRequestUrl": url} if enabled else {"badgeEnabled": False}
