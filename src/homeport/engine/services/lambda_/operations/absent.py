"""What homeport's functions never have: whoever asks is told so, as AWS tells it of a function without.

Terraform and other tools read all of it.
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import arn_of, find_function, invalid
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def get_function_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html"""
    function, _ = find_function(ctx, request)
    return {"FunctionName": function["FunctionName"], "CodeSigningConfigArn": ""}


@operation
async def get_runtime_management_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html"""
    function, qualifier = find_function(ctx, request)
    return {"UpdateRuntimeOn": "Auto", "FunctionArn": arn_of(ctx, function["FunctionName"], qualifier)}


@operation
async def put_runtime_management_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html"""
    if request["UpdateRuntimeOn"] != "Auto":
        raise invalid("homeport's runtimes are those of its images: UpdateRuntimeOn can only be Auto.")
    return await get_runtime_management_config(ctx, request)


@operation
async def get_function_recursion_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionRecursionConfig.html"""
    find_function(ctx, request)
    return {"RecursiveLoop": "Allow"}


@operation
async def list_provisioned_concurrency_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html"""
    find_function(ctx, request)
    return {"ProvisionedConcurrencyConfigs": []}


@operation
async def get_provisioned_concurrency_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html"""
    find_function(ctx, request)
    raise AwsError(
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
        404,
        Type="User",
    )


@operation
async def list_function_url_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html"""
    find_function(ctx, request)
    return {"FunctionUrlConfigs": []}


@operation
async def get_function_url_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionUrlConfig.html"""
    find_function(ctx, request)
    raise _not_found()


@operation
async def list_event_source_mappings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html"""
    return {"EventSourceMappings": []}


@operation
async def get_event_source_mapping(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html"""
    raise _not_found()


@operation
async def list_layers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html"""
    return {"Layers": []}


@operation
async def list_layer_versions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html"""
    return {"LayerVersions": []}


@operation
async def get_layer_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html"""
    raise _not_found()


def _not_found() -> AwsError:
    return AwsError(
        "ResourceNotFoundException", "The resource you requested does not exist.", 404, Type="User"
    )
