"""What secrets hold: put, get, and move the stages.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

import base64
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.secretsmanager.secrets import SECRETS, find_secret
from homeport.engine.services.secretsmanager.versions import (
    CURRENT,
    VERSIONS,
    add_version,
    draft,
    drop_unstaged,
    holder_of,
    move_stage,
    open_value,
)
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_DAY = 86_400


@operation
async def put_secret_value(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html"""
    drafted = await draft(ctx, find_secret(ctx, request["SecretId"]), request)
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"])
        stages = request.get("VersionStages") or [CURRENT]
        if holder_of(ctx, secret, CURRENT) is None and CURRENT not in stages:
            stages = [*stages, CURRENT]
        version_id = add_version(ctx, secret, drafted, stages)
        SECRETS.put(ctx, {**secret, "LastChangedDate": ctx.now()})
        version = VERSIONS.get(ctx, secret["Name"], version_id)
    return {
        "ARN": secret["ARN"],
        "Name": secret["Name"],
        "VersionId": version_id,
        "VersionStages": version["VersionStages"] if version else [],
    }


@operation
async def get_secret_value(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"""
    secret = find_secret(ctx, request["SecretId"])
    version = _version(ctx, secret, request.get("VersionId"), request.get("VersionStage"))
    today = ctx.now() // _DAY * _DAY
    if secret.get("LastAccessedDate") != today:
        SECRETS.put(ctx, {**secret, "LastAccessedDate": today})
    return await _shown(ctx, secret, version)


async def _shown(ctx: Context, secret: Body, version: Body) -> dict[str, Any]:
    value = await open_value(ctx, secret, version)
    binary = value.get("SecretBinary")
    return {
        "ARN": secret["ARN"],
        "Name": secret["Name"],
        "VersionId": version["VersionId"],
        "SecretString": value.get("SecretString"),
        "SecretBinary": base64.b64decode(binary) if binary is not None else None,
        "VersionStages": version["VersionStages"],
        "CreatedDate": version["CreatedDate"],
    }


def _version(ctx: Context, secret: Body, version_id: str | None, stage: str | None) -> Body:
    if version_id:
        version = VERSIONS.get(ctx, secret["Name"], version_id)
        wanted = f"VersionId: {version_id}"
    else:
        version = holder_of(ctx, secret, stage or CURRENT)
        wanted = f"staging label: {stage or CURRENT}"
    if version is None or (stage and stage not in version["VersionStages"]):
        raise AwsError(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified secret value for {wanted}",
        )
    return version


@operation
async def batch_get_secret_value(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html"""
    if request.get("Filters"):
        raise AwsError("InvalidParameterException", "homeport takes SecretIdList here, but no Filters.")
    values, errors = [], []
    client = ctx.client("secretsmanager")
    for identifier in request.get("SecretIdList") or []:
        try:
            values.append(await client.get_secret_value(SecretId=identifier))
        except AwsError as error:
            errors.append({"SecretId": identifier, "ErrorCode": error.code, "Message": error.message})
    return {"SecretValues": values, "Errors": errors}


@operation
async def list_secret_version_ids(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html"""
    secret = find_secret(ctx, request["SecretId"], deleted=True)
    found, token = page(
        VERSIONS.list(ctx, secret["Name"]),
        request.get("MaxResults", 100),
        request.get("NextToken"),
        lambda version: version["VersionId"],
        "InvalidNextTokenException",
    )
    names = ("VersionId", "VersionStages", "CreatedDate")
    return {
        "Versions": [{name: version[name] for name in names} for version in found],
        "ARN": secret["ARN"],
        "Name": secret["Name"],
        "NextToken": token,
    }


@operation
async def update_secret_version_stage(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html"""
    stage, target, source = (
        request.get(name) for name in ("VersionStage", "MoveToVersionId", "RemoveFromVersionId")
    )
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"])
        holder = holder_of(ctx, secret, str(stage))
        if target and VERSIONS.get(ctx, secret["Name"], target) is None:
            raise AwsError("ResourceNotFoundException", f"Secrets Manager can't find the version {target}.")
        if holder and holder["VersionId"] not in (source, target):
            raise AwsError(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to "
                f"version {holder['VersionId']}, so you must explicitly reference that version in "
                "RemoveFromVersionId.",
            )
        if stage == CURRENT and not target:
            raise AwsError("InvalidParameterException", f"The staging label {CURRENT} must be on a version.")
        move_stage(ctx, secret, str(stage), target)
        drop_unstaged(ctx, secret)
        SECRETS.put(ctx, {**secret, "LastChangedDate": ctx.now()})
    return {"ARN": secret["ARN"], "Name": secret["Name"]}
