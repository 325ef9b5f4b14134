"""Pages of lists, with tokens that clients hand back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from homeport.engine.wire.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T],
    size: int,
    token: str | None,
    key: Callable[[T], Any],
    error: str = "InvalidNextTokenException",
) -> tuple[list[T], str | None]:
    """The items after the token's, at most `size`, and the token of the next page (None: that was the last).

    `items` are sorted by `key`, a string or a tuple of strings and numbers; a token names the last item's key, so
    pages stay right while items come and go. Raises the service's `error` for a token that is not one.
    """
    rest = list(items)
    if token:
        after = _decode(token, error)
        rest = [item for item in rest if _as_list(key(item)) > after]
    chunk = rest[:size]
    return chunk, _encode(_as_list(key(chunk[-1]))) if len(rest) > size else None


def _encode(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _decode(token: str, error: str) -> list[Any]:
    try:
        key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        key = None
    if not isinstance(key, list):
        raise AwsError(error, "The pagination token is invalid: pass the one that the last page returned.")
    return key


def _as_list(key: Any) -> list[Any]:
    return list(key) if isinstance(key, tuple | list) else [key]
