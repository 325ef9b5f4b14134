"""Versions of secrets: sealed values, and the stages that point to them.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from homeport.engine.services import envelope
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


class Draft(NamedTuple):
    """A version to be: its id, its value sealed, and whether the secret has it already."""

    version_id: str
    sealed: str
    present: bool


async def draft(ctx: Context, secret: Body, request: dict[str, Any]) -> Draft:
    """Seal a request's value; call it before the transaction that adds the version. The same request once more
    is told by its token. Raises ResourceExistsException for a token that had another value."""
    value = value_of(request)
    if value is None:
        raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    version_id = request.get("ClientRequestToken") or str(uuid.uuid4())
    present = VERSIONS.get(ctx, secret["Name"], version_id)
    if present is None:
        return Draft(version_id, await _close(ctx, secret, version_id, value), False)
    if await open_value(ctx, secret, present) != value:
        raise AwsError(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {version_id} because that value is already in use for a version of "
            f"secret {secret['ARN']}.",
        )
    return Draft(version_id, present["Sealed"], True)


def add_version(ctx: Context, secret: Body, drafted: Draft, stages: Iterable[str]) -> str:
    """Keep a version with these stages, in the running transaction; one that is there already stays as it is."""
    if drafted.present:
        return drafted.version_id
    body = {
        "Name": secret["Name"],
        "VersionId": drafted.version_id,
        "VersionStages": [],
        "CreatedDate": ctx.now(),
        "Sealed": drafted.sealed,
    }
    VERSIONS.put(ctx, body)
    for stage in stages:
        move_stage(ctx, secret, stage, drafted.version_id)
    drop_unstaged(ctx, secret)
    return drafted.version_id


async def _close(ctx: Context, secret: Body, version_id: str, value: dict[str, str]) -> str:
    """Under the secret's KMS key, in the caller's name; without one under a key of the data folder."""
    if key := secret.get("KmsKeyId"):
        return await envelope.close(ctx, key, json.dumps(value), _context(secret, version_id))
    return ctx.engine.part(_seal).close(value, _purpose(secret, version_id))


async def open_value(ctx: Context, secret: Body, version: Body) -> dict[str, str]:
    """The value of a version. Raises AccessDeniedException when the caller may not use its key."""
    sealed, version_id = version["Sealed"], version["VersionId"]
    if "." in sealed:
        return dict(json.loads(await envelope.open(ctx, sealed, _context(secret, version_id))))
    value = ctx.engine.part(_seal).open(sealed, _purpose(secret, version_id))
    if value is None:
        raise RuntimeError(f"a version of {secret['ARN']} was not sealed by this engine")
    return value


def _context(secret: Body, version_id: str) -> dict[str, str]:
    return {"SecretARN": secret["ARN"], "SecretVersionId": version_id}


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
