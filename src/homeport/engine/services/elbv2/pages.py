"""`Marker`, `PageSize` and `NextMarker` of the Describe operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeport.engine.services.pagination import page
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


def answer(member: str, items: list[Body], request: Body, key: Callable[[Body], Any]) -> Body:
    """One page of a list, as the output of a Describe operation."""
    size = request.get("PageSize", 400)
    if not 1 <= size <= 400:
        raise AwsError("ValidationError", f"PageSize '{size}' must be between 1 and 400")
    chunk, marker = page(sorted(items, key=key), size, request.get("Marker"), key, "ValidationError")
    return {member: chunk, "NextMarker": marker} if marker else {member: chunk}
