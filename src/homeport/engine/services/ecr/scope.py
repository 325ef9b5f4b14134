"""Which registry an ECR call means."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.store.database import Scope


def registry_of(ctx: Context, request: dict[str, Any]) -> Context:
    """The context in the registry that the request names; in the caller's own when it names none."""
    return ctx.within(Scope(request.get("registryId") or ctx.scope.account, ctx.scope.region))
