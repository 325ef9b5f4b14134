"""Parameters: put, delete, describe. What they hold is in their versions.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.services.ssm.filters import Filter, filters
from homeport.engine.services.ssm.sealing import DEFAULT_KEY, sealed_value
from homeport.engine.store.database import Scope
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

PARAMETERS = Table("ssm_parameters", key=("Name",))
VERSIONS = Table("ssm_versions", key=("Name", "Version"))

MAX_VERSIONS = 100
_NAME = re.compile(r"/?[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)*")
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)
_STANDARD, _ADVANCED = 4096, 8192
_DESCRIBED = (
    "Name",
    "ARN",
    "Type",
    "KeyId",
    "LastModifiedDate",
    "LastModifiedUser",
    "Description",
    "AllowedPattern",
    "Version",
    "Tier",
    "Policies",
    "DataType",
)


def bare_name(name: str) -> str:
    """The name in a parameter's name or ARN: ARNs leave the slash out that begins a path."""
    if not name.startswith("arn:"):
        return name
    rest = name.split(":parameter/", 1)[-1]
    return f"/{rest}" if "/" in rest else rest


def not_found() -> AwsError:
    """AWS gives this error no message."""
    return AwsError("ParameterNotFound", "", 400)


@operation
async def put_parameter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"""
    name = request["Name"]
    _check_name(name)
    stored = await _stored_value(ctx, request)
    with ctx.store.transaction(together=True):
        present = _present(ctx, request)
        body = _body(ctx, request, present)
        _make_room(ctx, name, body["Version"])
        VERSIONS.put(ctx, {**body, "Value": stored, "Labels": []})
        PARAMETERS.put(ctx, body)
        _tell(ctx, body, "Update" if present else "Create")
        if body.get("Policies"):
            ctx.wake(EXPIRY.name, name)
    return {"Version": body["Version"], "Tier": body["Tier"]}


async def _stored_value(ctx: Context, request: dict[str, Any]) -> str:
    """The value as it is kept: a SecureString's is sealed, before the transaction, since KMS may take its time."""
    if request.get("Type", "SecureString") == "SecureString":
        body = _body(ctx, request, _present(ctx, request))
        if body["Type"] == "SecureString":
            return await sealed_value(ctx, body, request["Value"])
    return str(request["Value"])


def _present(ctx: Context, request: dict[str, Any]) -> Body:
    """The parameter that is to be overwritten, empty when there is none."""
    present = PARAMETERS.get(ctx, request["Name"])
    if present and not request.get("Overwrite"):
        raise AwsError(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        )
    if request.get("Tags") and request.get("Overwrite"):
        raise AwsError(
            "ValidationException",
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, "
            "please remove overwrite flag. To update tags for an existing parameter, please use "
            "AddTagsToResource or RemoveTagsFromResource.",
        )
    return present or {}


def _check_name(name: str) -> None:
    if _RESERVED.match(name):
        if name.lower().startswith(("/aws", "aws")):
            raise AwsError("AccessDeniedException", f"No access to reserved parameter name: {name}.", 400)
        raise AwsError("ValidationException", _name_message(name))
    if not _NAME.fullmatch(name) or ("/" in name and not name.startswith("/")):
        raise AwsError("ValidationException", _name_message(name))
    if name.count("/") > 15:
        raise AwsError(
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints "
            "for parameter names in the AWS Systems Manager User Guide.",
        )


def _name_message(name: str) -> str:
    if "/" in name and not name.startswith("/"):
        return "Parameter name must be a fully qualified name."
    return (
        'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can '
        "consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and "
        "the following 3 symbols .-_"
    )


def _body(ctx: Context, request: dict[str, Any], present: Body) -> Body:
    kind = request.get("Type") or present.get("Type")
    if kind is None:
        raise AwsError("ValidationException", "A parameter type is required when you create a parameter.")
    if present and kind != present["Type"]:
        raise AwsError(
            "HierarchyTypeMismatchException",
            f"Parameter Store does not support changing a parameter type in a hierarchy: {request['Name']} is a "
            f"{present['Type']}.",
        )
    pattern = request.get("AllowedPattern") or present.get("AllowedPattern")
    tier = _tier(request, present)
    _check_value(request["Value"], pattern, tier, request.get("DataType", "text"))
    name = request["Name"]
    return {
        "Name": name,
        "ARN": ctx.arn(f"parameter/{name.removeprefix('/')}"),
        "Type": kind,
        "KeyId": (request.get("KeyId") or present.get("KeyId") or DEFAULT_KEY)
        if kind == "SecureString"
        else None,
        "LastModifiedDate": ctx.now(),
        "LastModifiedUser": ctx.principal.arn,
        "Description": request.get("Description", present.get("Description")),
        "AllowedPattern": pattern or None,
        "Version": present.get("Version", 0) + 1,
        "Tier": tier,
        "Policies": _policies(request, tier),
        "DataType": request.get("DataType", "text"),
        "Tags": present.get("Tags", request.get("Tags") or []),
    }


def _tier(request: dict[str, Any], present: Body) -> str:
    wanted = request.get("Tier") or present.get("Tier") or "Standard"
    if wanted == "Intelligent-Tiering":
        large = len(request["Value"].encode()) > _STANDARD
        return "Advanced" if large or request.get("Policies") else "Standard"
    if present.get("Tier") == "Advanced" and wanted == "Standard":
        raise AwsError(
            "ValidationException",
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier.",
        )
    return str(wanted)


def _check_value(value: str, pattern: str | None, tier: str, data_type: str) -> None:
    size = len(value.encode())
    if tier == "Standard" and size > _STANDARD:
        raise AwsError(
            "ValidationException",
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
        )
    if size > _ADVANCED:
        raise AwsError(
            "ValidationException",
            "Advanced tier parameters support a maximum parameter value of 8192 characters.",
        )
    if not value:
        raise AwsError("ValidationException", "Parameter value can't be empty.")
    if pattern and not _matches(pattern, value):
        message = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        raise AwsError("ParameterPatternMismatchException", message)
    if data_type not in ("text", "aws:ec2:image", "aws:ssm:integration"):
        raise AwsError(
            "ValidationException",
            f"The following data type is not supported: {data_type} (Data type names are all lowercase.)",
        )


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        raise AwsError(
            "InvalidAllowedPatternException", f"{pattern} is not a valid regular expression."
        ) from None


def _policies(request: dict[str, Any], tier: str) -> list[dict[str, Any]] | None:
    """The policies of an advanced parameter; homeport carries out those of the type Expiration."""
    if not request.get("Policies"):
        return None
    if tier != "Advanced":
        raise AwsError("ValidationException", "Parameter policies need the advanced-parameter tier.")
    try:
        policies = json.loads(request["Policies"])
        kinds = {policy["Type"] for policy in policies}
        for policy in policies:
            if policy["Type"] == "Expiration":
                datetime.fromisoformat(policy["Attributes"]["Timestamp"])
    except (ValueError, KeyError, TypeError):
        raise AwsError("InvalidPolicyAttributeException", "The policies are not well formed.") from None
    if unknown := kinds - {"Expiration"}:
        raise AwsError(
            "InvalidPolicyTypeException",
            f"homeport has parameter policies of the type Expiration, but not {', '.join(sorted(unknown))}.",
        )
    return [
        {"PolicyText": json.dumps(policy), "PolicyType": policy["Type"], "PolicyStatus": "Pending"}
        for policy in policies
    ]


def _make_room(ctx: Context, name: str, version: int) -> None:
    """The oldest version gives way to the hundred-and-first, unless a label holds it: then nothing is written."""
    oldest = VERSIONS.take(ctx, name, version - MAX_VERSIONS) if version > MAX_VERSIONS else None
    if oldest and oldest["Labels"]:
        raise AwsError(
            "ParameterMaxVersionLimitExceeded",
            f"You attempted to create a new version of {name} by calling the PutParameter API with the overwrite "
            f"flag. Version {oldest['Version']}, the oldest version, can't be deleted because it has a label "
            "associated with it. Move the label to another version of the parameter, and try again.",
        )


def _tell(ctx: Context, body: Body, what: str) -> None:
    detail = {"operation": what, "name": body["Name"], "type": body["Type"]}
    if body.get("Description"):
        detail["description"] = body["Description"]
    ctx.emit("aws.ssm", "Parameter Store Change", detail, [body["ARN"]])


@operation
async def delete_parameter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html"""
    with ctx.store.transaction():
        if not _delete(ctx, bare_name(request["Name"])):
            raise not_found()
    return {}


@operation
async def delete_parameters(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html"""
    with ctx.store.transaction():
        names = list(dict.fromkeys(request["Names"]))
        deleted = [name for name in names if _delete(ctx, bare_name(name))]
    return {
        "DeletedParameters": deleted,
        "InvalidParameters": [name for name in names if name not in deleted],
    }


def _delete(ctx: Context, name: str) -> bool:
    body = PARAMETERS.get(ctx, name)
    if body is None:
        return False
    for version in VERSIONS.list(ctx, name):
        VERSIONS.delete(ctx, name, version["Version"])
    _tell(ctx, body, "Delete")
    return PARAMETERS.delete(ctx, name)


@operation
async def describe_parameters(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html"""
    wanted: list[Filter] = filters(request.get("ParameterFilters") or _old_filters(request))
    bodies = [
        body
        for body in PARAMETERS.list(ctx)
        if all(each.accepts(body, _labels(ctx, body) if each.key == "Label" else []) for each in wanted)
    ]
    found, token = page(
        bodies,
        request.get("MaxResults", 10),
        request.get("NextToken"),
        lambda body: body["Name"],
        "InvalidNextToken",
    )
    return {
        "Parameters": [{name: body.get(name) for name in _DESCRIBED} for body in found],
        "NextToken": token,
    }


def _old_filters(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "Key": each["Key"],
            "Option": "BeginsWith" if each["Key"] == "Name" else "Equals",
            "Values": each["Values"],
        }
        for each in request.get("Filters") or []
    ]


def _labels(ctx: Context, body: Body) -> list[str]:
    return [label for version in VERSIONS.list(ctx, body["Name"]) for label in version["Labels"]]


def _expiring(engine: Engine) -> Iterator[tuple[Scope, str]]:
    for scope, body in PARAMETERS.everywhere(engine.store):
        if body.get("Policies"):
            yield scope, body["Name"]


async def _expire(ctx: Context, name: str) -> float | None:
    body = PARAMETERS.get(ctx, name)
    times = [
        datetime.fromisoformat(json.loads(policy["PolicyText"])["Attributes"]["Timestamp"]).timestamp()
        for policy in (body or {}).get("Policies") or []
    ]
    if not times:
        return None
    if (left := min(times) - ctx.now()) > 0:
        return min(left, 86_400.0)
    with ctx.store.transaction():
        _delete(ctx, name)
    return None


EXPIRY = Reconciler("ssm.expiry", _expiring, _expire)
