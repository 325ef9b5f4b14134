"""The drift of one resource: found out and kept in its row, and taken for what the resource is when it is to be
reverted."""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudformation.drift.comparison import differences
from homeport.engine.services.cloudformation.drift.reading import read_properties
from homeport.engine.services.cloudformation.drift.types import READINGS
from homeport.engine.services.cloudformation.resources.provider import Request
from homeport.engine.services.cloudformation.tables import RESOURCES, Body
from homeport.engine.services.context import Context


async def detect(ctx: Context, stack: Body, row: Body) -> Body:
    """Compare a resource with its template, with the caller's permissions, and keep the result. Raises AwsError."""
    reading = READINGS.get(row["ResourceType"])
    if reading is None or not row.get("PhysicalResourceId"):
        return {}
    expected = _shown(stack, row)
    request = Request(
        ctx=ctx,
        role=None,
        stack_id=stack["StackId"],
        stack_name=stack["StackName"],
        logical_id=row["LogicalResourceId"],
        type=row["ResourceType"],
        properties=expected,
        token="",
        id=row["PhysicalResourceId"],
        attributes=row.get("attributes", {}),
    )
    actual = await read_properties(reading, request)
    drift: Body = {
        **{name: row[name] for name in ("LogicalResourceId", "PhysicalResourceId", "ResourceType")},
        "StackId": stack["StackId"],
        "Timestamp": ctx.now(),
        **_compared(expected, actual),
    }
    with ctx.store.transaction():
        if now := RESOURCES.get(ctx, stack["StackId"], row["LogicalResourceId"]):
            RESOURCES.put(ctx, {**now, "drift": drift})
    return drift


def _compared(properties: Body, actual: Body | None) -> Body:
    if actual is None:
        return {"StackResourceDriftStatus": "DELETED", "ExpectedProperties": _text(properties)}
    expected = {name: properties[name] for name in actual}
    found = [
        {
            "PropertyPath": each.path,
            "ExpectedValue": _text(each.expected),
            "ActualValue": _text(each.actual),
            "DifferenceType": each.kind,
        }
        for each in differences(expected, actual)
    ]
    return {
        "StackResourceDriftStatus": "MODIFIED" if found else "IN_SYNC",
        "ExpectedProperties": _text(expected),
        "ActualProperties": _text({name: value for name, value in actual.items() if value is not None}),
        "PropertyDifferences": found,
    }


def _shown(stack: Body, row: Body) -> Body:
    """The row's properties that may be compared and told: neither those with a value of a NoEcho parameter in them, nor
    those of which only a dynamic reference is known."""
    hidden = [
        "{{resolve:",
        *(item["value"] for item in stack["parameters"] if item["no_echo"] and item["value"]),
    ]
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in row["properties"].items()}
    return {
        name: row["properties"][name]
        for name, text in texts.items()
        if not any(each in text for each in hidden)
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def as_it_is(row: Body) -> Body | None:
    """The row with the properties that its resource was found to have; None when the resource was found gone."""
    drift = row.get("drift", {})
    status = drift.get("StackResourceDriftStatus")
    if status == "DELETED":
        return None
    if status != "MODIFIED":
        return row
    compared = json.loads(drift["ExpectedProperties"])
    kept = {name: value for name, value in row["properties"].items() if name not in compared}
    return {**row, "properties": kept | json.loads(drift["ActualProperties"])}


def take_as_it_is(ctx: Context, stack: Body) -> None:
    """Take what the last detection found for what the stack's resources are, so that an update brings them to the
    template again, and makes those anew that are gone."""
    for row in RESOURCES.list(ctx, stack["StackId"]):
        now = as_it_is(row)
        if now is None:
            RESOURCES.delete(ctx, stack["StackId"], row["LogicalResourceId"])
        elif now is not row:
            RESOURCES.put(ctx, now)
