"""What homeport's buckets never have: whoever asks is told so, as AWS tells it of a bucket without.

Terraform and other tools read all of it of every bucket.
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import find_bucket
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def get_bucket_request_payment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html"""
    find_bucket(ctx, request)
    return {"Payer": "BucketOwner"}


@operation
async def get_bucket_accelerate_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html"""
    find_bucket(ctx, request)
    return {}


@operation
async def get_bucket_abac(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAbac.html"""
    find_bucket(ctx, request)
    return {"AbacStatus": {"Status": "Disabled"}}


@operation
async def get_bucket_website(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html"""
    find_bucket(ctx, request)
    raise AwsError(
        "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", 404
    )


@operation
async def get_bucket_replication(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html"""
    find_bucket(ctx, request)
    raise AwsError(
        "ReplicationConfigurationNotFoundError", "The replication configuration was not found", 404
    )


@operation
async def get_object_lock_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html"""
    find_bucket(ctx, request)
    raise AwsError(
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
        404,
    )


@operation
async def delete_bucket_website(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketWebsite.html"""
    find_bucket(ctx, request)
    return {}


@operation
async def delete_bucket_replication(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketReplication.html"""
    find_bucket(ctx, request)
    return {}


@operation
async def list_bucket_analytics_configurations(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketAnalyticsConfigurations.html"""
    return _none(ctx, request)


@operation
async def get_bucket_analytics_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAnalyticsConfiguration.html"""
    return _not_found(ctx, request)


@operation
async def list_bucket_intelligent_tiering_configurations(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketIntelligentTieringConfigurations.html"""
    return _none(ctx, request)


@operation
async def get_bucket_intelligent_tiering_configuration(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketIntelligentTieringConfiguration.html"""
    return _not_found(ctx, request)


@operation
async def list_bucket_inventory_configurations(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketInventoryConfigurations.html"""
    return _none(ctx, request)


@operation
async def get_bucket_inventory_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketInventoryConfiguration.html"""
    return _not_found(ctx, request)


@operation
async def list_bucket_metrics_configurations(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketMetricsConfigurations.html"""
    return _none(ctx, request)


@operation
async def get_bucket_metrics_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketMetricsConfiguration.html"""
    return _not_found(ctx, request)


def _none(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    find_bucket(ctx, request)
    return {"IsTruncated": False}


def _not_found(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    find_bucket(ctx, request)
    raise AwsError(
        "NoSuchConfiguration",
        "The specified configuration does not exist.",
        404,
        BucketName=request["Bucket"],
        Id=request["Id"],
    )
