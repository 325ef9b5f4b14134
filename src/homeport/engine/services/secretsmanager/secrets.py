"""Secrets: create, describe, delete, restore.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/getting-started.html
"""

from __future__ import annotations

import re
import secrets as randomness
import string
from collections.abc import Iterator
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.pagination import page
from homeport.engine.services.secretsmanager.versions import CURRENT, VERSIONS, add_version, draft, value_of
from homeport.engine.services.service import operation
from homeport.engine.store.database import Scope
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

SECRETS = Table("secretsmanager_secrets", key=("Name",))

DAY = 86_400.0
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


def find_secret(ctx: Context, identifier: str, deleted: bool = False) -> Body:
    """The secret of this name or ARN; one that is scheduled for deletion only with `deleted`.
    Raises ResourceNotFoundException, InvalidRequestException."""
    secret = _by_arn(ctx, identifier) if identifier.startswith("arn:") else SECRETS.get(ctx, identifier)
    if secret is None:
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.get("DeletedDate") and not deleted:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return secret


def _by_arn(ctx: Context, arn: str) -> Body | None:
    """By the whole ARN, or one without the six characters that Secrets Manager adds."""
    name = arn.split(":secret:", 1)[-1]
    for candidate in (_SUFFIX.sub("", name), name):
        secret = SECRETS.get(ctx, candidate)
        if secret and arn in (secret["ARN"], _SUFFIX.sub("", secret["ARN"])):
            return secret
    return None


@operation
async def create_secret(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"""
    name = request["Name"]
    if not _NAME.fullmatch(name):
        raise AwsError(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "
            "-/_+=.@!",
        )
    if request.get("AddReplicaRegions"):
        raise AwsError("InvalidParameterException", "homeport does not replicate secrets to other regions.")
    if present := SECRETS.get(ctx, name):
        return await _again(ctx, present, request)
    suffix = "".join(randomness.choice(string.ascii_letters + string.digits) for _ in range(6))
    secret: Body = {
        "Name": name,
        "ARN": ctx.arn(f"secret:{name}-{suffix}"),
        "Description": request.get("Description"),
        "KmsKeyId": request.get("KmsKeyId"),
        "CreatedDate": ctx.now(),
        "LastChangedDate": ctx.now(),
        "Tags": request.get("Tags") or [],
    }
    drafted = await draft(ctx, secret, request) if value_of(request) else None
    with ctx.store.transaction():
        if SECRETS.get(ctx, name):
            raise _exists(name)
        SECRETS.put(ctx, secret)
        version = add_version(ctx, secret, drafted, [CURRENT]) if drafted else None
    return {"ARN": secret["ARN"], "Name": name, "VersionId": version}


async def _again(ctx: Context, present: Body, request: dict[str, Any]) -> dict[str, Any]:
    """A name that exists: the same request once more is answered alike, another one is refused."""
    if present.get("DeletedDate"):
        raise AwsError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    token = request.get("ClientRequestToken")
    if token and VERSIONS.get(ctx, present["Name"], token) and value_of(request):
        drafted = await draft(ctx, present, request)
        return {"ARN": present["ARN"], "Name": present["Name"], "VersionId": drafted.version_id}
    raise _exists(present["Name"])


def _exists(name: str) -> AwsError:
    return AwsError(
        "ResourceExistsException", f"The operation failed because the secret {name} already exists."
    )


@operation
async def update_secret(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html"""
    given = {name: request[name] for name in ("Description", "KmsKeyId") if request.get(name) is not None}
    changed = {**find_secret(ctx, request["SecretId"]), **given}
    drafted = await draft(ctx, changed, request) if value_of(request) else None
    with ctx.store.transaction():
        secret = {**find_secret(ctx, request["SecretId"]), **given, "LastChangedDate": ctx.now()}
        SECRETS.put(ctx, secret)
        version = add_version(ctx, secret, drafted, [CURRENT]) if drafted else None
    return {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version}


@operation
async def describe_secret(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html"""
    secret = find_secret(ctx, request["SecretId"], deleted=True)
    stages = {each["VersionId"]: each["VersionStages"] for each in _staged(ctx, secret)}
    return {**_shown(secret), "VersionIdsToStages": stages}


def _staged(ctx: Context, secret: Body) -> list[Body]:
    return [each for each in VERSIONS.list(ctx, secret["Name"]) if each["VersionStages"]]


def _shown(secret: Body) -> Body:
    return {name: value for name, value in secret.items() if name not in ("Policy", "DeleteAt")}


@operation
async def list_secrets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html"""
    planned = bool(request.get("IncludePlannedDeletion"))
    secrets = [
        secret
        for secret in SECRETS.list(ctx)
        if (planned or not secret.get("DeletedDate"))
        and all(_accepts(each, secret) for each in request.get("Filters") or [])
    ]
    found, token = page(
        secrets,
        request.get("MaxResults", 100),
        request.get("NextToken"),
        lambda secret: secret["Name"],
        "InvalidNextTokenException",
    )
    entries = [
        {
            **_shown(secret),
            "SecretVersionsToStages": {
                each["VersionId"]: each["VersionStages"] for each in _staged(ctx, secret)
            },
        }
        for secret in found
    ]
    return {"SecretList": entries, "NextToken": token}


def _accepts(wanted: dict[str, Any], secret: Body) -> bool:
    """One filter: one of its values begins the text that its key names; `!` turns a value round."""
    texts = {
        "name": [secret["Name"]],
        "description": [secret.get("Description") or ""],
        "tag-key": [tag["Key"] for tag in secret["Tags"]],
        "tag-value": [tag["Value"] for tag in secret["Tags"]],
    }
    key = wanted.get("Key", "all")
    looked_at = texts.get(key) or [text for each in texts.values() for text in each]
    return any(
        not any(text.startswith(value[1:]) for text in looked_at)
        if value.startswith("!")
        else any(text.startswith(value) for text in looked_at)
        for value in wanted.get("Values", [])
    )


@operation
async def delete_secret(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html"""
    force, window = request.get("ForceDeleteWithoutRecovery"), request.get("RecoveryWindowInDays")
    if force and window is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )
    if window is not None and not 7 <= window <= 30:
        raise AwsError(
            "InvalidParameterException",
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        )
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"], deleted=bool(force))
        now = ctx.now()
        if force:
            _drop(ctx, secret)
            return {"ARN": secret["ARN"], "Name": secret["Name"], "DeletionDate": now}
        date = now + (window or 30) * DAY
        SECRETS.put(ctx, {**secret, "DeletedDate": now, "DeleteAt": date})
        ctx.wake(DELETION.name, secret["Name"])
    return {"ARN": secret["ARN"], "Name": secret["Name"], "DeletionDate": date}


def _drop(ctx: Context, secret: Body) -> None:
    for version in VERSIONS.list(ctx, secret["Name"]):
        VERSIONS.delete(ctx, secret["Name"], version["VersionId"])
    SECRETS.delete(ctx, secret["Name"])


@operation
async def restore_secret(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html"""
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"], deleted=True)
        kept = {name: value for name, value in secret.items() if name not in ("DeletedDate", "DeleteAt")}
        SECRETS.put(ctx, kept)
    return {"ARN": secret["ARN"], "Name": secret["Name"]}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html"""
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"])
        tags = {tag["Key"]: tag["Value"] for tag in [*secret["Tags"], *request["Tags"]]}
        SECRETS.put(ctx, {**secret, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UntagResource.html"""
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"])
        kept = [tag for tag in secret["Tags"] if tag["Key"] not in request["TagKeys"]]
        SECRETS.put(ctx, {**secret, "Tags": kept})
    return {}


@operation
async def rotate_secret(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html"""
    find_secret(ctx, request["SecretId"])
    raise AwsError(
        "InvalidRequestException",
        "homeport does not rotate secrets: put the new value with PutSecretValue.",
    )


def _planned(engine: Engine) -> Iterator[tuple[Scope, str]]:
    for scope, secret in SECRETS.everywhere(engine.store):
        if secret.get("DeletedDate"):
            yield scope, secret["Name"]


async def _delete_when_due(ctx: Context, name: str) -> float | None:
    secret = SECRETS.get(ctx, name)
    if not secret or not secret.get("DeletedDate"):
        return None
    if (left := secret["DeleteAt"] - ctx.now()) > 0:
        return min(left, DAY)
    with ctx.store.transaction():
        _drop(ctx, secret)
    return None


DELETION = Reconciler("secretsmanager.deletion", _planned, _delete_when_due)
