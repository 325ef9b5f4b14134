"""Buckets. Their names are global: they belong to an account and lie in a region, but no two are alike.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.s3.parts import drop_upload
from homeport.engine.services.service import operation
from homeport.engine.store.database import Place, Scope, Store
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

BUCKETS = Table("s3_buckets", key=("Name",), columns=("Owner",))
EVERYWHERE = Scope("*", "aws-global")

_NAME = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!xn--|sthree-)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DEFAULT_ENCRYPTION = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}
_NO_PUBLIC_ACCESS = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def find_bucket(ctx: Context, request: dict[str, Any]) -> Body:
    """The bucket that a request names. Raises NoSuchBucket, and AccessDenied for another expected owner."""
    bucket = BUCKETS.get(everywhere(ctx.store), request["Bucket"])
    if bucket is None:
        raise AwsError(
            "NoSuchBucket", "The specified bucket does not exist", 404, BucketName=request["Bucket"]
        )
    if request.get("ExpectedBucketOwner") not in (None, bucket["Owner"]):
        raise AwsError("AccessDenied", "Access Denied", 403)
    return bucket


def everywhere(store: Store) -> Place:
    """Where the rows of buckets lie."""
    return Place(store, EVERYWHERE)


@operation
async def create_bucket(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html"""
    name = request["Bucket"]
    if not _NAME.fullmatch(name):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, BucketName=name)
    if request.get("ObjectLockEnabledForBucket"):
        raise AwsError("NotImplemented", "homeport does not have S3 Object Lock.", 501)
    region = _region(ctx, request)
    with ctx.store.transaction():
        present = BUCKETS.get(everywhere(ctx.store), name)
        if present and present["Owner"] != ctx.account:
            raise AwsError(
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                "system. Please select a different name and try again.",
                409,
                BucketName=name,
            )
        if present and (region != "us-east-1" or present["Region"] != region):
            raise AwsError(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                409,
                BucketName=name,
            )
        if not present:
            BUCKETS.put(everywhere(ctx.store), _new(ctx, name, region, request))
    return {"Location": f"/{name}", "BucketArn": f"arn:aws:s3:::{name}"}


def _region(ctx: Context, request: dict[str, Any]) -> str:
    wanted = (request.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
    if wanted is None:
        if ctx.region not in ("us-east-1", "aws-global"):
            raise AwsError(
                "IllegalLocationConstraintException",
                "The unspecified location constraint is incompatible for the region specific endpoint this "
                "request was sent to.",
                400,
            )
        return "us-east-1"
    region = "eu-west-1" if wanted == "EU" else wanted
    if region != ctx.region and ctx.region not in ("us-east-1", "aws-global"):
        raise AwsError(
            "IllegalLocationConstraintException",
            f"The {wanted} location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
            400,
        )
    return str(region)


def _new(ctx: Context, name: str, region: str, request: dict[str, Any]) -> Body:
    ownership = request.get("ObjectOwnership", "BucketOwnerEnforced")
    tags = (request.get("CreateBucketConfiguration") or {}).get("Tags")
    settings: dict[str, Any] = {
        "encryption": _DEFAULT_ENCRYPTION,
        "public_access_block": _NO_PUBLIC_ACCESS,
        "ownership_controls": {"Rules": [{"ObjectOwnership": ownership}]},
    }
    if tags:
        settings["tagging"] = {"TagSet": tags}
    return {"Name": name, "Owner": ctx.account, "Region": region, "Created": ctx.now(), "settings": settings}


@operation
async def delete_bucket(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html"""
    with ctx.store.transaction():
        name = find_bucket(ctx, request)["Name"]
        if ctx.store.execute("SELECT 1 FROM s3_versions WHERE bucket = ? LIMIT 1", name):
            current = ctx.store.execute(
                "SELECT 1 FROM s3_versions WHERE bucket = ? AND current = 1 AND marker = 0 LIMIT 1", name
            )
            message = "The bucket you tried to delete is not empty"
            if not current:
                message += ". You must delete all versions in the bucket."
            raise AwsError("BucketNotEmpty", message, 409, BucketName=name)
        for row in ctx.store.execute("SELECT upload FROM s3_uploads WHERE bucket = ?", name):
            drop_upload(ctx, row["upload"])
        BUCKETS.delete(everywhere(ctx.store), name)
    return {}


@operation
async def head_bucket(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"""
    bucket = find_bucket(ctx, request)
    return {
        "BucketRegion": bucket["Region"],
        "AccessPointAlias": False,
        "BucketArn": f"arn:aws:s3:::{bucket['Name']}",
    }


@operation
async def get_bucket_location(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html"""
    region = find_bucket(ctx, request)["Region"]
    return {"LocationConstraint": None if region == "us-east-1" else region}


@operation
async def list_buckets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html"""
    prefix, region = request.get("Prefix", ""), request.get("BucketRegion")
    owned = [
        bucket
        for bucket in BUCKETS.list(everywhere(ctx.store), Owner=ctx.account)
        if bucket["Name"].startswith(prefix) and region in (None, bucket["Region"])
    ]
    found, token = page(
        owned,
        request.get("MaxBuckets", 10_000),
        request.get("ContinuationToken"),
        lambda bucket: bucket["Name"],
        "InvalidArgument",
    )
    return {
        "Buckets": [
            {
                "Name": bucket["Name"],
                "CreationDate": bucket["Created"],
                "BucketRegion": bucket["Region"],
                "BucketArn": f"arn:aws:s3:::{bucket['Name']}",
            }
            for bucket in found
        ],
        "Owner": owner(ctx.account),
        "ContinuationToken": token,
        "Prefix": request.get("Prefix"),
    }


def owner(account: str) -> dict[str, Any]:
    """An account as S3 shows it."""
    return {"ID": account.zfill(64), "DisplayName": account}
