"""Making a function ready: its image is made or pulled before the function is Active.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from __future__ import annotations

import uuid

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.images import Unready, provide
from homeport.engine.services.lambda_.pool import Pool
from homeport.engine.services.lambda_.tables import LATEST, VERSIONS, Row


async def _prepare(x: Execution) -> None:
    version = VERSIONS.get(x.ctx, x.input["name"], LATEST)
    if version is None or version.get("preparing") != x.id:
        return

    async def image() -> str:
        return await provide(x.ctx, version)

    def ready(reference: str) -> None:
        _settle(x, {"State": "Active", "LastUpdateStatus": "Successful"}, reference)

    await x.step("image", image, ready)


def _settle(x: Execution, state: Row, reference: str | None = None) -> None:
    """Show the state in `$LATEST`, and in a version that was published in the meantime."""
    name = x.input["name"]
    for version in VERSIONS.list(x.ctx, name):
        if version.get("preparing") != x.id:
            continue
        del version["preparing"]
        shown = version["configuration"]
        for key in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
            shown.pop(key, None)
        shown |= {**state, "RevisionId": str(uuid.uuid4())}
        if reference and version["code"].get("image") != reference:
            retire(x.ctx, version)
            version["code"] |= {"image": reference, "generation": str(uuid.uuid4())}
        VERSIONS.put(x.ctx, version)
    x.ctx.notify(topic(x.ctx, name))


def begin(ctx: Context, version: Row) -> None:
    """Prepare `$LATEST` as its row says; call it in the transaction that writes the row."""
    version["preparing"] = str(uuid.uuid4())
    ctx.start(PREPARATION, version["preparing"], {"name": version["FunctionName"]})


def retire(ctx: Context, version: Row) -> None:
    """Use the version's environments no more once the running transaction has committed."""
    generation = version["code"]["generation"]
    ctx.store.after_commit(lambda: ctx.engine.part(Pool).retire([generation]))


def topic(ctx: Context, name: str) -> str:
    """Notified when a function's state has changed."""
    return f"lambda.state:{ctx.region}:{name}"


async def _failed(x: Execution, error: Exception) -> None:
    code = error.code if isinstance(error, Unready) else "InternalError"
    with x.ctx.store.transaction():
        version = VERSIONS.get(x.ctx, x.input["name"], LATEST)
        if version is None:
            return
        state: Row = {
            "LastUpdateStatus": "Failed",
            "LastUpdateStatusReason": str(error),
            "LastUpdateStatusReasonCode": code,
        }
        if version["configuration"]["State"] == "Pending":
            state |= {"State": "Failed", "StateReason": str(error), "StateReasonCode": code}
        _settle(x, state)


PREPARATION = ExecutionKind("lambda.preparation", _prepare, _failed)
