"""Functions: their code and configuration.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_ import configuration, downloads, images, packages, preparation
from homeport.engine.services.lambda_.names import arn_of, find_function, find_version, invalid, reference
from homeport.engine.services.lambda_.publishing import publish
from homeport.engine.services.lambda_.tables import ALIASES, EVENT_CONFIGS, FUNCTIONS, LATEST, VERSIONS, Row
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation(pass_role={"Role": "lambda.amazonaws.com"})
async def create_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
    name, qualifier = reference(ctx, request)
    if qualifier:
        raise invalid("The function name of a new function must not have a qualifier.")
    arn = arn_of(ctx, name)
    if FUNCTIONS.get(ctx, name):
        raise AwsError("ResourceConflictException", f"Function already exist: {name}", Type="User")
    shown = configuration.initial(ctx, request, arn)
    version: Row = {"FunctionName": name, "Version": LATEST, "configuration": shown, "code": {}}
    await _take_code(ctx, version, request["Code"])
    function: Row = {
        "FunctionName": name,
        "Tags": request.get("Tags") or {},
        "NextVersion": 1,
        "Policies": {},
    }
    with ctx.store.transaction():
        if FUNCTIONS.get(ctx, name):
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", Type="User")
        preparation.begin(ctx, version)
        FUNCTIONS.put(ctx, function)
        VERSIONS.put(ctx, version)
        if request.get("Publish"):
            version = publish(ctx, function, version, request.get("Description"))
    return version["configuration"]


async def _take_code(ctx: Context, version: Row, code: dict[str, Any]) -> None:
    """Put a package or an image into a version that is being made or changed. Raises
    InvalidParameterValueException."""
    shown = version["configuration"]
    if shown["PackageType"] == "Image":
        if "ImageUri" not in code:
            raise invalid("Please provide ImageUri when updating a function with packageType Image.")
        uri = await images.resolve(ctx, code["ImageUri"])
        version["code"] |= {"uri": uri, "given": code["ImageUri"]}
        version["code"].setdefault("generation", str(uuid.uuid4()))
        shown |= {"CodeSha256": uri.partition("@sha256:")[2], "CodeSize": 0}
        return
    if "ImageUri" in code:
        raise invalid("Please do not provide ImageUri when updating a function with packageType Zip.")
    content = await packages.read(ctx, code)
    digest = packages.keep(ctx.engine, content)
    version["code"] = {"package": digest, "generation": str(uuid.uuid4())}
    shown |= {
        "CodeSha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        "CodeSize": len(content),
    }


@operation
async def get_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html"""
    function, qualifier = find_function(ctx, request)
    version = find_version(ctx, request)
    code = version["code"]
    answer: dict[str, Any] = {"Configuration": shown_as(ctx, version, qualifier)}
    if "uri" in code:
        answer["Code"] = {
            "RepositoryType": "ECR",
            "ImageUri": code["given"],
            "ResolvedImageUri": code["uri"],
        }
    else:
        answer["Code"] = {"RepositoryType": "S3", "Location": downloads.location(ctx, code["package"])}
    if function["Tags"]:
        answer["Tags"] = function["Tags"]
    if "ReservedConcurrentExecutions" in function:
        reserved = function["ReservedConcurrentExecutions"]
        answer["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
    return answer


def shown_as(ctx: Context, version: Row, qualifier: str | None) -> Row:
    """A version's configuration, with the ARN by which it was asked for."""
    return {**version["configuration"], "FunctionArn": arn_of(ctx, version["FunctionName"], qualifier)}


@operation
async def get_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html"""
    _, qualifier = find_function(ctx, request)
    return shown_as(ctx, find_version(ctx, request), qualifier)


@operation
async def list_functions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html"""
    everything = request.get("FunctionVersion") == "ALL"
    rows = [row for row in VERSIONS.list(ctx) if everything or row["Version"] == LATEST]
    size = min(request.get("MaxItems") or 50, 50)
    found, marker = page(rows, size, request.get("Marker"), _key, "InvalidParameterValueException")
    return {"Functions": [_listed(row) for row in found], "NextMarker": marker}


def _key(row: Row) -> tuple[str, str]:
    return row["FunctionName"], row["Version"]


def _listed(row: Row) -> Row:
    return {
        key: value
        for key, value in row["configuration"].items()
        if not key.startswith(("State", "LastUpdate"))
    }


@operation
async def update_function_code(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"""
    name = changeable(ctx, request)["FunctionName"]
    version = VERSIONS.get(ctx, name, LATEST) or {}
    before = {"FunctionName": name, "code": dict(version["code"])}
    await _take_code(ctx, version, request)
    if request.get("DryRun"):
        return version["configuration"]
    with ctx.store.transaction():
        current = changeable(ctx, request)
        function, _ = find_function(ctx, request)
        configuration.touch(ctx, version["configuration"])
        shown = {**current["configuration"], **version["configuration"]}
        version = {**current, "configuration": shown, "code": version["code"]}
        if "package" in version["code"]:
            preparation.retire(ctx, before)
        _begin_update(ctx, version)
        if request.get("Publish"):
            version = publish(ctx, function, version, None)
    return version["configuration"]


@operation(pass_role={"Role": "lambda.amazonaws.com"})
async def update_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html"""
    with ctx.store.transaction():
        version = changeable(ctx, request)
        configuration.change(ctx, version["configuration"], request)
        preparation.retire(ctx, {**version, "code": dict(version["code"])})
        version["code"]["generation"] = str(uuid.uuid4())
        _begin_update(ctx, version)
    return version["configuration"]


def changeable(ctx: Context, request: dict[str, Any]) -> Row:
    """The `$LATEST` that a request wants to change. Raises ResourceConflictException, PreconditionFailedException."""
    function, qualifier = find_function(ctx, request)
    if qualifier not in (None, LATEST):
        raise invalid("Only $LATEST can be changed; versions are immutable.")
    version = VERSIONS.get(ctx, function["FunctionName"], LATEST) or {}
    shown = version["configuration"]
    check_revision(request, shown["RevisionId"])
    if shown["State"] == "Pending" or shown.get("LastUpdateStatus") == "InProgress":
        what = "Pending" if shown["State"] == "Pending" else "InProgress"
        raise AwsError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. "
            + (
                f"The function is currently in the following state: {what}"
                if what == "Pending"
                else f"An update is in progress for resource: {shown['FunctionArn']}"
            ),
            Type="User",
        )
    return version


def check_revision(request: dict[str, Any], revision: str) -> None:
    """Refuse a change that was meant for another revision. Raises PreconditionFailedException."""
    if request.get("RevisionId") not in (None, revision):
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
            Type="User",
        )


def _begin_update(ctx: Context, version: Row) -> None:
    version["configuration"] |= {
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being updated.",
        "LastUpdateStatusReasonCode": "Creating",
    }
    preparation.begin(ctx, version)
    VERSIONS.put(ctx, version)


@operation
async def delete_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html"""
    with ctx.store.transaction():
        function, qualifier = find_function(ctx, request)
        name = function["FunctionName"]
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        versions = VERSIONS.list(ctx, name)
        if qualifier:
            versions = [row for row in versions if row["Version"] == qualifier]
            if any(_points_at(alias, qualifier) for alias in ALIASES.list(ctx, name)):
                raise AwsError(
                    "ResourceConflictException",
                    f"Unable to delete version because the following aliases reference it: "
                    f"[{', '.join(each['Name'] for each in ALIASES.list(ctx, name) if _points_at(each, qualifier))}]",
                    Type="User",
                )
        else:
            FUNCTIONS.delete(ctx, name)
            for alias in ALIASES.list(ctx, name):
                ALIASES.delete(ctx, name, alias["Name"])
            for each in EVENT_CONFIGS.list(ctx, name):
                EVENT_CONFIGS.delete(ctx, name, each["Qualifier"])
        for row in versions:
            VERSIONS.delete(ctx, name, row["Version"])
            preparation.retire(ctx, row)
    return {"StatusCode": 204}


def _points_at(alias: Row, version: str) -> bool:
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return alias["FunctionVersion"] == version or version in weights
