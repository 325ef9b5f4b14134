"""What of a request or an answer may be written down.

Members that botocore's models mark `sensitive` are hidden, and those of `_SECRET`, which AWS's own trail hides too or
which often carry secrets (environment variables, parameters of stacks, messages). Streams and blobs are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import Shape

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


def redacted(value: Any, shape: Shape | None) -> Any:
    """The value of a model's shape, as it may be written down; None when nothing of it may."""
    return _redacted(value, shape, False)


def _redacted(value: Any, shape: Shape | None, variables: bool) -> Any:
    if value is None or shape is None:
        return None
    kind = shape.type_name
    if shape.metadata.get("sensitive") or getattr(shape, "metadata", {}).get("streaming"):
        return HIDDEN
    if kind == "structure" and isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for name, item in value.items():
            member = shape.members.get(name)
            if member is None or item is None:
                continue
            lower = name.lower()
            written = name[:1].lower() + name[1:]
            if lower in _SECRET or (variables and lower == "value"):
                found[written] = HIDDEN
            else:
                found[written] = _redacted(item, member, variables or lower in _VARIABLES)
        return {name: item for name, item in found.items() if item is not None}
    if kind == "list" and isinstance(value, list | tuple):
        return [_redacted(item, shape.member, variables) for item in value[:MAX_ITEMS]]
    if kind == "map" and isinstance(value, Mapping):
        if variables:
            return {str(key): HIDDEN for key in value}
        return {str(key): _redacted(item, shape.value, variables) for key, item in value.items()}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_STRING else f"{value[:MAX_STRING]}…"
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return None
