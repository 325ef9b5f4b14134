"""Labels of parameter versions, and tags of parameters.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html
"""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.services.ssm.parameters import PARAMETERS, VERSIONS, bare_name, not_found
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_LABEL = re.compile(r"(?!\d)(?!aws|ssm)[A-Za-z0-9_.\-]{1,100}")
_MAX = 10


@operation
async def label_parameter_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html"""
    with ctx.store.transaction():
        chosen = _version(ctx, request)
        valid = [label for label in request["Labels"] if _LABEL.fullmatch(label)]
        if len(set(chosen["Labels"]) | set(valid)) > _MAX:
            raise AwsError(
                "ParameterVersionLabelLimitExceeded",
                "An error occurred (ParameterVersionLabelLimitExceeded) when calling the LabelParameterVersion "
                "operation: A parameter version can have maximum 10 labels. Move one or more labels to another "
                "version and try again.",
            )
        for version in VERSIONS.list(ctx, chosen["Name"]):
            kept = [label for label in version["Labels"] if label not in valid]
            if version["Version"] == chosen["Version"]:
                kept += valid
            VERSIONS.put(ctx, {**version, "Labels": kept})
    invalid = [label for label in request["Labels"] if label not in valid]
    return {"InvalidLabels": invalid, "ParameterVersion": chosen["Version"]}


@operation
async def unlabel_parameter_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UnlabelParameterVersion.html"""
    with ctx.store.transaction():
        version = _version(ctx, request)
        removed = [label for label in request["Labels"] if label in version["Labels"]]
        kept = [label for label in version["Labels"] if label not in removed]
        VERSIONS.put(ctx, {**version, "Labels": kept})
    invalid = [label for label in request["Labels"] if label not in removed]
    return {"RemovedLabels": removed, "InvalidLabels": invalid}


def _version(ctx: Context, request: dict[str, Any]) -> Body:
    parameter = PARAMETERS.get(ctx, bare_name(request["Name"]))
    if parameter is None:
        raise not_found()
    number = request.get("ParameterVersion") or parameter["Version"]
    version = VERSIONS.get(ctx, parameter["Name"], number)
    if version is None:
        raise AwsError(
            "ParameterVersionNotFound",
            f"Systems Manager could not find version {number} of {parameter['Name']}. Verify the version and try "
            "again.",
        )
    return version


@operation
async def add_tags_to_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html"""
    with ctx.store.transaction():
        parameter = _tagged(ctx, request)
        tags = {tag["Key"]: tag["Value"] for tag in [*parameter["Tags"], *request["Tags"]]}
        PARAMETERS.put(ctx, {**parameter, "Tags": [{"Key": key, "Value": tags[key]} for key in tags]})
    return {}


@operation
async def remove_tags_from_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RemoveTagsFromResource.html"""
    with ctx.store.transaction():
        parameter = _tagged(ctx, request)
        kept = [tag for tag in parameter["Tags"] if tag["Key"] not in request["TagKeys"]]
        PARAMETERS.put(ctx, {**parameter, "Tags": kept})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListTagsForResource.html"""
    return {"TagList": _tagged(ctx, request)["Tags"]}


def _tagged(ctx: Context, request: dict[str, Any]) -> Body:
    if request["ResourceType"] != "Parameter":
        raise AwsError(
            "InvalidResourceType",
            f"homeport has no Systems Manager resources of the type {request['ResourceType']}.",
        )
    name = request["ResourceId"]
    parameter = PARAMETERS.get(ctx, bare_name(name))
    if parameter is None:
        raise AwsError("InvalidResourceId", f"The resource ID {name} is not valid. Verify that it exists.")
    return parameter
