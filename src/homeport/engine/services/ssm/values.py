"""What parameters hold: read by name, version, label or path; the history of it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.services.ssm.filters import filters, is_below
from homeport.engine.services.ssm.parameters import PARAMETERS, VERSIONS, bare_name, not_found
from homeport.engine.services.ssm.public import public_parameter, public_parameters
from homeport.engine.services.ssm.sealing import readable_value
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_SHOWN = ("Name", "Type", "Version", "LastModifiedDate", "ARN", "DataType")


@operation
async def get_parameter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html"""
    found = await _find(ctx, request["Name"], bool(request.get("WithDecryption")))
    if found is None:
        raise not_found()
    return {"Parameter": found}


@operation
async def get_parameters(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html"""
    found, missing = [], []
    for name in dict.fromkeys(request["Names"]):
        try:
            parameter = await _find(ctx, name, bool(request.get("WithDecryption")))
        except AwsError:
            parameter = None
        if parameter is None:
            missing.append(name)
        else:
            found.append(parameter)
    return {"Parameters": found, "InvalidParameters": missing}


async def _find(ctx: Context, wanted: str, decrypt: bool) -> Body | None:
    """The parameter under `name`, `name:version` or `name:label`. Raises ParameterVersionNotFound."""
    name, selector = bare_name(wanted), ""
    if ":" in name:
        name, _, selector = name.rpartition(":")
    parameter = PARAMETERS.get(ctx, name)
    if parameter is None:
        return public_parameter(ctx, name)
    version = _select(ctx, parameter, selector)
    if version is None:
        raise AwsError(
            "ParameterVersionNotFound",
            f"Systems Manager could not find version {selector} of {name}. Verify the version and try again.",
        )
    return {**(await _shown(ctx, version, decrypt)), "Selector": f":{selector}" if selector else None}


def _select(ctx: Context, parameter: Body, selector: str) -> Body | None:
    name = parameter["Name"]
    if not selector:
        return VERSIONS.get(ctx, name, parameter["Version"])
    if selector.isdecimal():
        return VERSIONS.get(ctx, name, int(selector))
    return next((each for each in VERSIONS.list(ctx, name) if selector in each["Labels"]), None)


async def _shown(ctx: Context, version: Body, decrypt: bool) -> Body:
    shown = {name: version[name] for name in _SHOWN}
    return {**shown, "Value": await _value(ctx, version, decrypt)}


async def _value(ctx: Context, version: Body, decrypt: bool) -> str:
    """The value; a SecureString stays sealed unless it is to be decrypted."""
    return await readable_value(ctx, version) if decrypt else str(version["Value"])


@operation
async def get_parameters_by_path(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html"""
    path = request["Path"]
    if not path.startswith("/"):
        raise AwsError(
            "ValidationException",
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a "
            'forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive).',
        )
    wanted = filters(request.get("ParameterFilters") or [])
    recursive, decrypt = bool(request.get("Recursive")), bool(request.get("WithDecryption"))
    if path.startswith("/aws/"):
        listed = [each for each in public_parameters(ctx) if is_below(each["Name"], path, recursive)]
        found, token = _page(listed, request)
        return {"Parameters": found, "NextToken": token}
    below = []
    for parameter in PARAMETERS.list(ctx):
        if not is_below(parameter["Name"], path, recursive):
            continue
        version = VERSIONS.get(ctx, parameter["Name"], parameter["Version"])
        if version and all(each.accepts(parameter, version["Labels"]) for each in wanted):
            below.append(version)
    found, token = _page(below, request)
    return {"Parameters": [await _shown(ctx, version, decrypt) for version in found], "NextToken": token}


def _page(items: list[Body], request: dict[str, Any]) -> tuple[list[Body], str | None]:
    size, token = request.get("MaxResults", 10), request.get("NextToken")
    return page(items, size, token, lambda item: item["Name"], "InvalidNextToken")


@operation
async def get_parameter_history(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html"""
    name = bare_name(request["Name"])
    if PARAMETERS.get(ctx, name) is None:
        raise not_found()
    found, token = page(
        VERSIONS.list(ctx, name),
        request.get("MaxResults", 50),
        request.get("NextToken"),
        lambda version: version["Version"],
        "InvalidNextToken",
    )
    hidden = ("Tags", "ARN", "Value")
    decrypt = bool(request.get("WithDecryption"))
    return {
        "Parameters": [
            {
                **{name: value for name, value in version.items() if name not in hidden},
                "Value": await _value(ctx, version, decrypt),
            }
            for version in found
        ],
        "NextToken": token,
    }
