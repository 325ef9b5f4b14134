"""The services that are not homeport's own."""

from __future__ import annotations

from typing import Any

from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request, Response


class Nowhere:
    """Nothing answers them."""

    async def answer(self, request: Request, body: bytes, call: Call) -> Response:
        raise _absent(call)

    async def invoke(self, call: Call) -> dict[str, Any]:
        raise _absent(call)

    async def reset(self) -> None:
        return None


def _absent(call: Call) -> AwsError:
    return AwsError("NotImplemented", f"homeport does not have the service {call.service}.", 501)
