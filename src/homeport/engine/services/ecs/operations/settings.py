"""Account settings. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.tables import SETTINGS
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation

Body = dict[str, Any]

_DEFAULTS = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "dualStackIPv6": "enabled",
    "fargateFIPSMode": "disabled",
    "fargateTaskRetirementWaitPeriod": "7",
    "guardDutyActivate": "off",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "off",
    "taskLongArnFormat": "enabled",
}


@operation
async def list_account_settings(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListAccountSettings.html"""
    found = {row["name"]: row["value"] for row in SETTINGS.list(ctx)}
    known = {**_DEFAULTS, **found} if request.get("effectiveSettings") else found
    shown = [
        _described(ctx, name, value)
        for name, value in sorted(known.items())
        if request.get("name") in (None, name) and request.get("value") in (None, value)
    ]
    chunk, token = page(
        shown,
        request.get("maxResults", 10),
        request.get("nextToken"),
        lambda setting: setting["name"],
        "InvalidParameterException",
    )
    return {"settings": chunk, "nextToken": token}


@operation
async def put_account_setting(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutAccountSetting.html"""
    SETTINGS.put(ctx, {"name": request["name"], "value": request["value"]})
    return {"setting": _described(ctx, request["name"], request["value"])}


@operation
async def put_account_setting_default(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutAccountSettingDefault.html"""
    SETTINGS.put(ctx, {"name": request["name"], "value": request["value"]})
    return {"setting": _described(ctx, request["name"], request["value"])}


@operation
async def delete_account_setting(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteAccountSetting.html"""
    SETTINGS.delete(ctx, request["name"])
    return {"setting": _described(ctx, request["name"], _DEFAULTS.get(request["name"], ""))}


def _described(ctx: Context, name: str, value: str) -> Body:
    principal = ctx.arn("root", service="iam", region="")
    return {"name": name, "value": value, "principalArn": principal, "type": "user"}
