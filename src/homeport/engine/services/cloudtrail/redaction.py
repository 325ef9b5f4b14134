"""What of a request or an answer may be written down.

Members that botocore's models mark `sensitive` are hidden, and those of `_SECRET`, which AWS's own trail hides too or
which often carry secrets (environment variables, parameters of stacks, messages). Streams and blobs are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
MAX_STRING = 1024
MAX_ITEMS = 100

_SECRET = {
    "authorizationtoken", "clientrequesttoken", "detail", "decodedmessage", "encodedmessage", "logevents",
    "masteruserpassword", "message", "messagebody", "messages", "oauthtoken", "parametervalue", "password",
    "plaintext", "privatekey", "records", "secretaccesskey", "secretbinary", "secretstring", "sessiontoken",
    "stackpolicybody", "templatebody", "tokencode", "webidentitytoken", "samlassertion",
}  # fmt: skip

_VARIABLES = {"environment", "environmentvariables", "environmentvariablesoverride", "variables"}

Redact = Callable[[Any], Any]


def redacted(value: Any, shape: Shape | None) -> Any:
    """The value of a model's shape, as it may be written down; None when nothing of it may."""
    return None if shape is None else _redact(shape, False)(value)


@cache
def _redact(shape: Shape, variables: bool) -> Redact:
    """What to do with values of a shape. Every call is written down, so it is found out once for each shape."""
    if shape.metadata.get("sensitive") or shape.metadata.get("streaming"):
        return lambda value: HIDDEN
    if isinstance(shape, StructureShape):
        return _redact_structure(shape, variables)
    if isinstance(shape, ListShape):
        return lambda value: (
            [_redact(shape.member, variables)(item) for item in value[:MAX_ITEMS]]
            if isinstance(value, list | tuple)
            else _scalar(value)
        )
    if isinstance(shape, MapShape):
        return lambda value: (
            {
                str(key): HIDDEN if variables else _redact(shape.value, False)(item)
                for key, item in value.items()
            }
            if isinstance(value, Mapping)
            else _scalar(value)
        )
    return _scalar


def _redact_structure(shape: StructureShape, variables: bool) -> Redact:
    @cache
    def of_member(name: str) -> tuple[str, Redact] | None:
        """The name under which a member is written down, and how."""
        member, lower = shape.members.get(name), name.lower()
        if member is None:
            return None
        written = name[:1].lower() + name[1:]
        if lower in _SECRET or (variables and lower == "value"):
            return written, lambda value: HIDDEN
        return written, _redact(member, variables or lower in _VARIABLES)

    def redact(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return _scalar(value)
        found = {}
        for name, item in value.items():
            if item is not None and (known := of_member(name)):
                written, redact_member = known
                if (shown := redact_member(item)) is not None:
                    found[written] = shown
        return found

    return redact


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_STRING else f"{value[:MAX_STRING]}…"
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return None
