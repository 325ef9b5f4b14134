"""Versions of secrets: sealed values, and the stages that point to them.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.seal import Seal
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

VERSIONS = Table("secretsmanager_versions", key=("Name", "VersionId"))

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_MAX_SIZE = 65_536


def value_of(request: dict[str, Any]) -> dict[str, str] | None:
    """The value that a request brings, as JSON has it; None when it brings none."""
    text, data = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and data is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value.",
        )
    if text is not None:
        if len(text.encode()) > _MAX_SIZE:
            raise AwsError("ValidationException", f"The secret value is larger than {_MAX_SIZE} bytes.")
        return {"SecretString": text}
    return {"SecretBinary": base64.b64encode(data).decode()} if data is not None else None


def add_version(ctx: Context, secret: Body, request: dict[str, Any], stages: Iterable[str]) -> str:
    """Keep a request's value as a version with these stages, in the running transaction. The same request once
    more changes nothing. Raises ResourceExistsException."""
    value = value_of(request)
    if value is None:
        raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    version_id = request.get("ClientRequestToken") or str(uuid.uuid4())
    present = VERSIONS.get(ctx, secret["Name"], version_id)
    if present:
        if open_value(ctx, secret, present) != value:
            raise AwsError(
                "ResourceExistsException",
                "You can't use ClientRequestToken "
                + version_id
                + " because that value is already in use for a "
                "version of secret " + secret["ARN"] + ".",
            )
        return version_id
    purpose = _purpose(secret, version_id)
    body = {
        "Name": secret["Name"],
        "VersionId": version_id,
        "VersionStages": [],
        "CreatedDate": ctx.now(),
        "Sealed": ctx.engine.part(_seal).close(value, purpose),
    }
    VERSIONS.put(ctx, body)
    for stage in stages:
        move_stage(ctx, secret, stage, version_id)
    drop_unstaged(ctx, secret)
    return version_id


def open_value(ctx: Context, secret: Body, version: Body) -> dict[str, str]:
    """The value of a version."""
    value = ctx.engine.part(_seal).open(version["Sealed"], _purpose(secret, version["VersionId"]))
    if value is None:
        raise RuntimeError(f"a version of {secret['ARN']} was not sealed by this engine")
    return value


def _seal(engine: Engine) -> Seal:
    return Seal(engine.store)


def _purpose(secret: Body, version_id: str) -> str:
    return f"secretsmanager {secret['ARN']} {version_id}"


def holder_of(ctx: Context, secret: Body, stage: str) -> Body | None:
    """The version that a stage points to."""
    return next((each for each in VERSIONS.list(ctx, secret["Name"]) if stage in each["VersionStages"]), None)


def move_stage(ctx: Context, secret: Body, stage: str, version_id: str | None) -> None:
    """Point a stage to a version, or to none. The version that was current becomes the previous one."""
    holder = holder_of(ctx, secret, stage)
    if holder and holder["VersionId"] == version_id:
        return
    if holder:
        stages = [each for each in holder["VersionStages"] if each != stage]
        VERSIONS.put(ctx, {**holder, "VersionStages": stages})
    if version_id:
        version = VERSIONS.get(ctx, secret["Name"], version_id)
        assert version
        VERSIONS.put(ctx, {**version, "VersionStages": [*version["VersionStages"], stage]})
    if stage == CURRENT and holder:
        move_stage(ctx, secret, PREVIOUS, holder["VersionId"])


def drop_unstaged(ctx: Context, secret: Body) -> None:
    """Versions without a stage are deprecated: they are deleted."""
    for version in VERSIONS.list(ctx, secret["Name"]):
        if not version["VersionStages"]:
            VERSIONS.delete(ctx, secret["Name"], version["VersionId"])
