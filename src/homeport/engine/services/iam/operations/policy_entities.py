"""To whom a managed policy is attached."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import KINDS, Body
from homeport.engine.services.iam.lookup import managed_policy
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.database import At

_FILTERS = {"User": "user", "Group": "group", "Role": "role"}


@operation
async def list_entities_for_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    arn = managed_policy(at, request["PolicyArn"])["Arn"]
    wanted = _FILTERS.get(request.get("EntityFilter", ""))
    bounding = request.get("PolicyUsageFilter") == "PermissionsBoundary"
    users = _bounded(at, arn) if bounding else _attached(at, arn)
    found = sorted(
        one for one in users if wanted in (None, one[0]) and _has_path(at, one, request.get("PathPrefix"))
    )
    chunk, marker = page(
        found, request.get("MaxItems") or 100, request.get("Marker"), lambda one: one, error="ValidationError"
    )
    answer: Body = {
        "PolicyUsers": [],
        "PolicyGroups": [],
        "PolicyRoles": [],
        "IsTruncated": marker is not None,
    }
    for entity, name in chunk:
        kind = KINDS[entity]
        id_member = f"{kind.noun}Id"
        answer[f"Policy{kind.noun}s"].append({kind.name: name, id_member: kind.get(at, name)[id_member]})
    return answer | ({"Marker": marker} if marker else {})


def _attached(at: At, arn: str) -> list[tuple[str, str]]:
    bodies = tables.ATTACHMENTS.list(at)
    return [(body["EntityType"], body["EntityName"]) for body in bodies if body["PolicyArn"] == arn]


def _bounded(at: At, arn: str) -> list[tuple[str, str]]:
    return [
        (entity, body[KINDS[entity].name])
        for entity in ("user", "role")
        for body in KINDS[entity].table.list(at)
        if (body.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") == arn
    ]


def _has_path(at: At, one: tuple[str, str], prefix: str | None) -> bool:
    entity, name = one
    return KINDS[entity].get(at, name)["Path"].startswith(prefix or "/")
