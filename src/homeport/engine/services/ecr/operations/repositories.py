"""Repositories and their settings."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tables import REPOSITORIES
from homeport.engine.services.service import operation
from homeport.engine.store.database import Scope

Body = dict[str, Any]


@operation
async def create_repository(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"""
    return {"repository": shown(make_repository(registry(ctx, request), **request))}


def registry(ctx: Context, request: Body) -> Context:
    """The context of the registry that the request names, the caller's own when it names none."""
    account = request.get("registryId") or ctx.scope.account
    return ctx.within(Scope(account, ctx.scope.region))


def make_repository(ctx: Context, repositoryName: str, **settings: Any) -> Body:
    REPOSITORIES.put(ctx, row := {"repositoryName": repositoryName, **settings})
    return row


def shown(row: Body) -> Body:
    return {"repositoryName": row["repositoryName"]}
