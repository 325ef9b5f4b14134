"""Settings of the registry as a whole."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.settings import (
    ACCOUNT_SETTINGS,
    account_setting,
    read_setting,
    write_setting,
)
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
EXCLUSIONS = "pull-time-exclusions"


@operation
async def get_account_setting(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAccountSetting.html"""
    name = _known(request["name"])
    return {"name": name, "value": account_setting(ctx, name)}


@operation
async def put_account_setting(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html"""
    name, value = _known(request["name"]), request["value"]
    allowed = ACCOUNT_SETTINGS[name][1]
    if value not in allowed:
        raise AwsError("ValidationException", f"The value of {name} must be one of {', '.join(allowed)}")
    write_setting(ctx, name, value=value)
    return {"name": name, "value": value}


@operation
async def register_pull_time_update_exclusion(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegisterPullTimeUpdateExclusion.html"""
    arn = request["principalArn"]
    excluded = read_setting(ctx, EXCLUSIONS).get("principals", {})
    if arn in excluded:
        raise AwsError("ExclusionAlreadyExistsException", f"The principal '{arn}' is excluded already")
    write_setting(ctx, EXCLUSIONS, principals=excluded | {arn: ctx.now()})
    return {"principalArn": arn, "createdAt": ctx.now()}


@operation
async def deregister_pull_time_update_exclusion(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeregisterPullTimeUpdateExclusion.html"""
    arn = request["principalArn"]
    excluded = read_setting(ctx, EXCLUSIONS).get("principals", {})
    if excluded.pop(arn, None) is None:
        raise AwsError("ExclusionNotFoundException", f"The principal '{arn}' is not excluded")
    write_setting(ctx, EXCLUSIONS, principals=excluded)
    return {"principalArn": arn}


@operation
async def list_pull_time_update_exclusions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListPullTimeUpdateExclusions.html"""
    return {"pullTimeUpdateExclusions": sorted(read_setting(ctx, EXCLUSIONS).get("principals", {}))}


def _known(name: str) -> str:
    if name not in ACCOUNT_SETTINGS:
        known = ", ".join(ACCOUNT_SETTINGS)
        raise AwsError("InvalidParameterException", f"'{name}' is no account setting; there are {known}")
    return name
