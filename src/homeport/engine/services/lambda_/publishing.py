"""Publishing versions: a copy of `$LATEST` that does not change any more.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import arn_of
from homeport.engine.services.lambda_.tables import FUNCTIONS, LATEST, VERSIONS, Row


def publish(ctx: Context, function: Row, latest: Row, description: str | None) -> Row:
    """The new version; the newest one when nothing has changed since it was published. Call it in a transaction."""
    name = function["FunctionName"]
    published = [row for row in VERSIONS.list(ctx, name) if row["Version"] != LATEST]
    newest = max(published, key=_number, default=None)
    if newest and _unchanged(newest, latest, description):
        return newest
    number = str(function["NextVersion"])
    shown = {
        **latest["configuration"],
        "Version": number,
        "FunctionArn": arn_of(ctx, name, number),
        "RevisionId": str(uuid.uuid4()),
    }
    if description is not None:
        shown["Description"] = description
    version: Row = {
        "FunctionName": name,
        "Version": number,
        "configuration": shown,
        "code": {**latest["code"], "generation": str(uuid.uuid4())},
    }
    if "preparing" in latest:
        version["preparing"] = latest["preparing"]
    VERSIONS.put(ctx, version)
    FUNCTIONS.put(ctx, {**function, "NextVersion": function["NextVersion"] + 1})
    return version


def _number(row: Row) -> int:
    return int(row["Version"])


def _unchanged(newest: Row, latest: Row, description: str | None) -> bool:
    same = _content(newest) == _content(latest)
    return same and description in (None, newest["configuration"]["Description"])


def _content(row: Row) -> dict[str, Any]:
    """What makes a version another one."""
    names = (
        *("CodeSha256", "Environment", "Handler", "ImageConfigResponse", "MemorySize", "Role"),
        *("Runtime", "Timeout", "DeadLetterConfig", "EphemeralStorage", "LoggingConfig"),
    )
    return {key: row["configuration"].get(key) for key in names}
