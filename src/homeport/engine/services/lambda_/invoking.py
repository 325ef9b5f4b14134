"""Invoking a version now, and what may keep it from being invoked.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import json

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.environment import Invocation, Outcome
from homeport.engine.services.lambda_.pool import Pool
from homeport.engine.services.lambda_.tables import Row
from homeport.engine.wire.errors import AwsError

MAX_SYNCHRONOUS = 6 * 1024 * 1024
MAX_ASYNCHRONOUS = 1024 * 1024


async def invoke_now(ctx: Context, version: Row, invocation: Invocation, tail: bool = False) -> Outcome:
    """Have a version answer. Raises ResourceConflictException, TooManyRequestsException, AccessDeniedException,
    ServiceException."""
    check_state(version)
    return await ctx.engine.part(Pool).run(ctx, version, invocation, tail)


def check_state(version: Row) -> None:
    """Refuse to invoke what is not ready. Raises ResourceConflictException."""
    shown = version["configuration"]
    if shown["State"] == "Active":
        return
    reason = f" ({shown['StateReason']})" if shown["State"] == "Failed" else ""
    raise AwsError(
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the following state: "
        f"{shown['State']}{reason}",
        Type="User",
    )


def checked(payload: bytes, limit: int) -> bytes:
    """The payload, `{}` for none. Raises RequestTooLargeException, InvalidRequestContentException."""
    if len(payload) > limit:
        kind = "RequestResponse" if limit == MAX_SYNCHRONOUS else "Event"
        raise AwsError(
            "RequestTooLargeException",
            f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
            413,
        )
    if not payload.strip():
        return b"{}"
    try:
        json.loads(payload)
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", Type="User"
        ) from None
    return payload
