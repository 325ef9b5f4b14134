"""Settings of buckets, each a document that is put, read and deleted.

What homeport does not act on (replication, inventory, website, …) has no operation here and is refused.
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam.policies import MalformedPolicy, PolicyKind, parse_policy
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


def _put(ctx: Context, request: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        bucket["settings"][name] = value
        BUCKETS.put(everywhere(ctx.store), bucket)
    return {}


def _get(ctx: Context, request: dict[str, Any], name: str) -> Any:
    bucket = find_bucket(ctx, request)
    if name not in bucket["settings"] and name in _ABSENT:
        code, message = _ABSENT[name]
        raise AwsError(code, message, 404, BucketName=bucket["Name"])
    return bucket["settings"].get(name) or {}


def _delete(ctx: Context, request: dict[str, Any], name: str) -> dict[str, Any]:
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
    return _put(ctx, request, "versioning", {"Status": configuration["Status"]})


@operation
async def get_bucket_versioning(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html"""
    return _get(ctx, request, "versioning")


@operation
async def put_bucket_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html"""
    try:
        policy = json.loads(request["Policy"])
    except ValueError:
        policy = None
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for statement in statements:
        _check_statement(statement, request["Bucket"])
    try:
        parse_policy(request["Policy"], PolicyKind.RESOURCE)
    except MalformedPolicy as complaint:
        raise AwsError("MalformedPolicy", str(complaint), 400) from None
    block = find_bucket(ctx, request)["settings"].get("public_access_block", {})
    if block.get("BlockPublicPolicy") and any(map(_is_public, statements)):
        raise AwsError(
            "AccessDenied",
            f"User: {ctx.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{request["Bucket"]}" because public policies are prevented by the BlockPublicPolicy '
            "setting in S3 Block Public Access.",
            403,
        )
    return _put(ctx, request, "policy", policy)


def _check_statement(statement: Any, bucket: str) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise AwsError("MalformedPolicy", "Missing required field Effect", 400)
    for field in ("Principal", "Action", "Resource"):
        if field not in statement and f"Not{field}" not in statement:
            raise AwsError("MalformedPolicy", f"Missing required field {field}", 400)
    resources = statement.get("Resource", statement.get("NotResource"))
    for resource in resources if isinstance(resources, list) else [resources]:
        if not str(resource).startswith((f"arn:aws:s3:::{bucket}", "arn:aws:s3:::*", "*")):
            raise AwsError("MalformedPolicy", "Policy has invalid resource", 400)


def _is_public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    wide = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"]))
    return statement["Effect"] == "Allow" and wide and not statement.get("Condition")


@operation
async def get_bucket_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html"""
    return {"Policy": json.dumps(_get(ctx, request, "policy"), separators=(",", ":"))}


@operation
async def get_bucket_policy_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html"""
    statements = _get(ctx, request, "policy")["Statement"]
    every = statements if isinstance(statements, list) else [statements]
    return {"PolicyStatus": {"IsPublic": any(map(_is_public, every))}}


@operation
async def delete_bucket_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html"""
    return _delete(ctx, request, "policy")


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the bucket that an ARN of a bucket or an object names. Where public buckets are restricted, what
    it allows everyone holds for the bucket's own account only."""
    bucket = BUCKETS.get(everywhere(ctx.store), arn.rpartition(":::")[2].partition("/")[0])
    policy = bucket["settings"].get("policy") if bucket else None
    if not bucket or not policy:
        return None
    if not bucket["settings"].get("public_access_block", {}).get("RestrictPublicBuckets"):
        return policy
    own = {"StringEquals": {"aws:PrincipalAccount": ctx.account}}
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    restricted = [{**one, "Condition": own} if _is_public(one) else one for one in statements]
    return {**policy, "Statement": restricted}


@operation
async def put_bucket_encryption(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html"""
    return _put(ctx, request, "encryption", request["ServerSideEncryptionConfiguration"])


@operation
async def get_bucket_encryption(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html"""
    return {"ServerSideEncryptionConfiguration": _get(ctx, request, "encryption")}


@operation
async def delete_bucket_encryption(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html"""
    return _put(ctx, request, "encryption", _ENCRYPTION)


@operation
async def put_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html"""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    given = request["PublicAccessBlockConfiguration"]
    return _put(ctx, request, "public_access_block", {name: bool(given.get(name)) for name in names})


@operation
async def get_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html"""
    return {"PublicAccessBlockConfiguration": _get(ctx, request, "public_access_block")}


@operation
async def delete_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html"""
    return _delete(ctx, request, "public_access_block")


@operation
async def put_bucket_ownership_controls(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html"""
    return _put(ctx, request, "ownership_controls", request["OwnershipControls"])


@operation
async def get_bucket_ownership_controls(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html"""
    return {"OwnershipControls": _get(ctx, request, "ownership_controls")}


@operation
async def delete_bucket_ownership_controls(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html"""
    return _delete(ctx, request, "ownership_controls")


@operation
async def put_bucket_cors(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html"""
    return _put(ctx, request, "cors", request["CORSConfiguration"])


@operation
async def get_bucket_cors(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html"""
    return _get(ctx, request, "cors")


@operation
async def delete_bucket_cors(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html"""
    return _delete(ctx, request, "cors")


@operation
async def put_bucket_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html"""
    tags = request["Tagging"]["TagSet"]
    from_tag_set([tag for tag in tags if not tag["Key"].startswith("aws:")], limit=50)
    return _put(ctx, request, "tagging", {"TagSet": tags})


@operation
async def get_bucket_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html"""
    return _get(ctx, request, "tagging")


@operation
async def delete_bucket_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html"""
    return _delete(ctx, request, "tagging")


@operation
async def put_bucket_notification_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html"""
    configuration = request["NotificationConfiguration"]
    for kind in ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations"):
        for number, each in enumerate(configuration.get(kind) or []):
            each.setdefault("Id", f"{kind.removesuffix('Configurations').lower()}-{number}")
    return _put(ctx, request, "notification", configuration)


@operation
async def get_bucket_notification_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html"""
    return _get(ctx, request, "notification")


@operation
async def put_bucket_logging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html"""
    if request["BucketLoggingStatus"].get("LoggingEnabled"):
        raise AwsError("NotImplemented", "homeport does not write S3 server access logs.", 501)
    return _delete(ctx, request, "logging")


@operation
async def get_bucket_logging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html"""
    return _get(ctx, request, "logging")


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
