"""What becomes due for keys: deletion after the waiting period, yearly rotation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.kms.keys import ALIASES, KEYS
from homeport.engine.services.kms.rotation import rotated
from homeport.engine.store.database import Scope

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

DAY = 24 * 3600


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    for scope, key in KEYS.everywhere(engine.store):
        if "DeletionDate" in key or "Next" in key["Rotation"]:
            yield scope, key["KeyId"]


async def _reconcile(ctx: Context, id: str) -> float | None:
    key = KEYS.get(ctx, id)
    if key is None:
        return None
    due = key.get("DeletionDate") or key["Rotation"].get("Next")
    if due is None:
        return None
    if due > ctx.now():
        return min(due - ctx.now(), DAY)
    if "DeletionDate" in key:
        with ctx.store.transaction():
            for alias in ALIASES.list(ctx, TargetKeyId=id):
                ALIASES.delete(ctx, alias["AliasName"])
            KEYS.delete(ctx, id)
        return None
    key = rotated(ctx, key, "AUTOMATIC")
    key["Rotation"]["Next"] = ctx.now() + key["Rotation"]["Days"] * DAY
    KEYS.put(ctx, key)
    return DAY


DUE = Reconciler("kms.due", keys=_keys, reconcile=_reconcile)
