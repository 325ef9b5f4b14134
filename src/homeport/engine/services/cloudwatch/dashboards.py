"""Dashboards: documents that consoles draw.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

DASHBOARDS = Table("cloudwatch_dashboards", key=("DashboardName",))


@operation
async def put_dashboard(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html"""
    name = request["DashboardName"]
    try:
        if not isinstance(json.loads(request["DashboardBody"]), dict):
            raise ValueError
    except ValueError:
        raise AwsError(
            "InvalidParameterInput", "The field DashboardBody must be a valid JSON object"
        ) from None
    arn = f"arn:aws:cloudwatch::{ctx.account}:dashboard/{name}"
    body = {"DashboardName": name, "DashboardArn": arn, "DashboardBody": request["DashboardBody"]}
    DASHBOARDS.put(ctx, {**body, "LastModified": ctx.now()})
    return {"DashboardValidationMessages": []}


@operation
async def get_dashboard(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetDashboard.html"""
    found = _find(ctx, request["DashboardName"])
    return {name: found[name] for name in ("DashboardName", "DashboardArn", "DashboardBody")}


def _find(ctx: Context, name: str) -> Body:
    found = DASHBOARDS.get(ctx, name)
    if found is None:
        raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
    return found


@operation
async def list_dashboards(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListDashboards.html"""
    prefix = request.get("DashboardNamePrefix") or ""
    every = [each for each in DASHBOARDS.list(ctx) if each["DashboardName"].startswith(prefix)]
    found, token = page(
        every, 1000, request.get("NextToken"), lambda each: each["DashboardName"], "InvalidParameterValue"
    )
    entries = [
        {
            **{name: each[name] for name in ("DashboardName", "DashboardArn", "LastModified")},
            "Size": len(each["DashboardBody"]),
        }
        for each in found
    ]
    return {"DashboardEntries": entries, "NextToken": token}


@operation
async def delete_dashboards(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteDashboards.html"""
    with ctx.store.transaction():
        for name in request["DashboardNames"]:
            _find(ctx, name)
            DASHBOARDS.delete(ctx, name)
    return {}
