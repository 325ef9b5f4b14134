"""Application revisions. https://docs.aws.amazon.com/codedeploy/latest/userguide/application-revisions.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy import revisions
from homeport.engine.services.codedeploy.tables import REVISIONS, application
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

PAGE = 100


@operation
async def register_application_revision(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_RegisterApplicationRevision.html"""
    name = request["applicationName"]
    revision = revisions.checked(request["revision"])
    members = {"description": request["description"]} if request.get("description") else {}
    with ctx.store.transaction():
        application(ctx, name)
        revisions.register(ctx, name, revision, **members)
    return {}


@operation
async def get_application_revision(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetApplicationRevision.html"""
    name = request["applicationName"]
    application(ctx, name)
    row = REVISIONS.get(ctx, name, revisions.digest_of(revisions.checked(request["revision"])))
    if row is None:
        raise AwsError(
            "RevisionDoesNotExistException", "The revision was not registered with the application."
        )
    return {"applicationName": name, "revision": row["revision"], "revisionInfo": row["info"]}


@operation
async def batch_get_application_revisions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetApplicationRevisions.html"""
    name = request["applicationName"]
    application(ctx, name)
    keys = [revisions.digest_of(revisions.checked(each)) for each in request["revisions"]]
    found = [row for key in keys if (row := REVISIONS.get(ctx, name, key))]
    return {
        "applicationName": name,
        "revisions": [
            {"revisionLocation": row["revision"], "genericRevisionInfo": row["info"]} for row in found
        ],
    }


@operation
async def list_application_revisions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListApplicationRevisions.html"""
    application(ctx, request["applicationName"])
    rows = [row for row in REVISIONS.list(ctx, request["applicationName"]) if _wanted(row, request)]
    by, sign = request.get("sortBy", "registerTime"), -1 if request.get("sortOrder") == "descending" else 1
    rows.sort(key=lambda row: (sign * row["info"].get(by, 0), row["digest"]))
    chunk, token = page(
        rows, PAGE, request.get("nextToken"), lambda row: (sign * row["info"].get(by, 0), row["digest"])
    )
    return {"revisions": [row["revision"] for row in chunk], "nextToken": token}


def _wanted(row: Body, request: Body) -> bool:
    location = row["revision"].get("s3Location") or {}
    if request.get("s3Bucket") and location.get("bucket") != request["s3Bucket"]:
        return False
    if request.get("s3KeyPrefix") and not location.get("key", "").startswith(request["s3KeyPrefix"]):
        return False
    deployed = bool(row["info"]["deploymentGroups"])
    return {"include": deployed, "exclude": not deployed}.get(request.get("deployed", "ignore"), True)
