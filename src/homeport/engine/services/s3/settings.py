"""Settings of buckets, each a document that is put, read and deleted.

What homeport does not act on (replication, inventory, website, …) cannot be put; `absent` answers who asks for it.
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import BUCKETS, everywhere, find_bucket, owner
from homeport.engine.services.s3.tags import from_tag_set
from homeport.engine.services.s3.versions import find_version
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_ABSENT = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist"),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "public_access_block": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "ownership_controls": (
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
}
_ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def put_setting(ctx: Context, request: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Keep a setting of the bucket that a request names."""
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        bucket["settings"][name] = value
        BUCKETS.put(everywhere(ctx.store), bucket)
    return {}


def get_setting(ctx: Context, request: dict[str, Any], name: str) -> Any:
    """A setting of the bucket that a request names, `{}` for none. Raises AWS's error for one that is not there."""
    bucket = find_bucket(ctx, request)
    if name not in bucket["settings"] and name in _ABSENT:
        code, message = _ABSENT[name]
        raise AwsError(code, message, 404, BucketName=bucket["Name"])
    return bucket["settings"].get(name) or {}


def delete_setting(ctx: Context, request: dict[str, Any], name: str) -> dict[str, Any]:
    """Forget a setting of the bucket that a request names."""
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        bucket["settings"].pop(name, None)
        BUCKETS.put(everywhere(ctx.store), bucket)
    return {}


@operation
async def put_bucket_versioning(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html"""
    configuration = request["VersioningConfiguration"]
    if "Status" not in configuration:
        raise AwsError(
            "IllegalVersioningConfigurationException", "The Versioning element must be specified", 400
        )
    return put_setting(ctx, request, "versioning", {"Status": configuration["Status"]})


@operation
async def get_bucket_versioning(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html"""
    return get_setting(ctx, request, "versioning")


@operation
async def put_bucket_encryption(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html"""
    return put_setting(ctx, request, "encryption", request["ServerSideEncryptionConfiguration"])


@operation
async def get_bucket_encryption(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html"""
    return {"ServerSideEncryptionConfiguration": get_setting(ctx, request, "encryption")}


@operation
async def delete_bucket_encryption(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html"""
    return put_setting(ctx, request, "encryption", _ENCRYPTION)


@operation
async def put_bucket_ownership_controls(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html"""
    return put_setting(ctx, request, "ownership_controls", request["OwnershipControls"])


@operation
async def get_bucket_ownership_controls(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html"""
    return {"OwnershipControls": get_setting(ctx, request, "ownership_controls")}


@operation
async def delete_bucket_ownership_controls(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html"""
    return delete_setting(ctx, request, "ownership_controls")


@operation
async def put_bucket_cors(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html"""
    return put_setting(ctx, request, "cors", request["CORSConfiguration"])


@operation
async def get_bucket_cors(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html"""
    return get_setting(ctx, request, "cors")


@operation
async def delete_bucket_cors(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html"""
    return delete_setting(ctx, request, "cors")


@operation
async def put_bucket_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html"""
    tags = request["Tagging"]["TagSet"]
    from_tag_set([tag for tag in tags if not tag["Key"].startswith("aws:")], limit=50)
    return put_setting(ctx, request, "tagging", {"TagSet": tags})


@operation
async def get_bucket_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html"""
    return get_setting(ctx, request, "tagging")


@operation
async def delete_bucket_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html"""
    return delete_setting(ctx, request, "tagging")


@operation
async def put_bucket_notification_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html"""
    configuration = request["NotificationConfiguration"]
    for kind in ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations"):
        for number, each in enumerate(configuration.get(kind) or []):
            each.setdefault("Id", f"{kind.removesuffix('Configurations').lower()}-{number}")
    return put_setting(ctx, request, "notification", configuration)


@operation
async def get_bucket_notification_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html"""
    return get_setting(ctx, request, "notification")


@operation
async def put_bucket_logging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html"""
    if request["BucketLoggingStatus"].get("LoggingEnabled"):
        raise AwsError("NotImplemented", "homeport does not write S3 server access logs.", 501)
    return delete_setting(ctx, request, "logging")


@operation
async def get_bucket_logging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html"""
    return get_setting(ctx, request, "logging")


@operation
async def get_bucket_acl(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html"""
    return _owner_only(find_bucket(ctx, request)["Owner"])


@operation
async def get_object_acl(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html"""
    bucket = find_bucket(ctx, request)
    find_version(ctx, request)
    return _owner_only(bucket["Owner"])


@operation
async def put_bucket_acl(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html"""
    find_bucket(ctx, request)
    _refuse_acl(request)
    return {}


@operation
async def put_object_acl(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html"""
    find_bucket(ctx, request)
    find_version(ctx, request)
    _refuse_acl(request)
    return {}


def _refuse_acl(request: dict[str, Any]) -> None:
    """homeport's buckets have no ACLs, as AWS's new ones: the owner's own is the only one that may be put."""
    if request.get("ACL") not in ("private", "bucket-owner-full-control"):
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


def _owner_only(account: str) -> dict[str, Any]:
    grantee = {**owner(account), "Type": "CanonicalUser"}
    return {"Owner": owner(account), "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}
