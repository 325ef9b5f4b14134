"""Lifecycle configurations, and the reconciler that carries them out.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.s3.buckets import BUCKETS, EVERYWHERE, everywhere, find_bucket
from homeport.engine.services.s3.lifecycle import Candidate, abort_after, expired_by
from homeport.engine.services.s3.notifications import notify
from homeport.engine.services.s3.parts import drop_upload
from homeport.engine.services.s3.versions import Version, delete_current, delete_version, from_row
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_EVERY = 3600.0
_BATCH = 500
_MISSING = ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")


@operation
async def put_bucket_lifecycle_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html"""
    rules = (request.get("LifecycleConfiguration") or {}).get("Rules") or []
    ids = [rule.setdefault("ID", secrets.token_urlsafe(24)) for rule in rules]
    if len(set(ids)) < len(ids):
        raise AwsError("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule", 400)
    for rule in rules:
        _check(rule)
    size = request.get("TransitionDefaultMinimumObjectSize", "all_storage_classes_128K")
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        bucket["settings"]["lifecycle"] = {"Rules": rules, "TransitionDefaultMinimumObjectSize": size}
        BUCKETS.put(everywhere(ctx.store), bucket)
        ctx.within(EVERYWHERE).wake(EXPIRY.name, bucket["Name"])
    return {"TransitionDefaultMinimumObjectSize": size}


def _check(rule: dict[str, Any]) -> None:
    if rule.get("Transitions") or rule.get("NoncurrentVersionTransitions"):
        raise AwsError(
            "NotImplemented",
            f"The lifecycle rule {rule['ID']} moves objects to other storage classes, which homeport does not have; "
            "its rules expire objects.",
            501,
        )
    actions = ("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
    if not any(rule.get(action) for action in actions):
        raise AwsError("InvalidRequest", "At least one action needs to be specified in a rule", 400)
    if "Filter" not in rule and "Prefix" not in rule:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
            400,
        )
    days = rule.get("Expiration", {}).get("Days")
    if days is not None and days < 1:
        raise AwsError("InvalidArgument", "'Days' for Expiration action must be a positive integer", 400)


@operation
async def get_bucket_lifecycle_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html"""
    found = find_bucket(ctx, request)["settings"].get("lifecycle")
    if found is None:
        raise AwsError(*_MISSING, 404, BucketName=request["Bucket"])
    return dict(found)


@operation
async def delete_bucket_lifecycle(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html"""
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        bucket["settings"].pop("lifecycle", None)
        BUCKETS.put(everywhere(ctx.store), bucket)
    return {}


def _buckets_with_rules(engine: Engine) -> Iterator[tuple[Any, str]]:
    for _, bucket in BUCKETS.everywhere(engine.store):
        if "lifecycle" in bucket["settings"]:
            yield EVERYWHERE, bucket["Name"]


async def _expire(ctx: Context, name: str) -> float | None:
    """Expire what the bucket's rules say is due; key after key, so that others are served in between."""
    bucket = BUCKETS.get(everywhere(ctx.store), name)
    rules = bucket["settings"].get("lifecycle", {}).get("Rules") if bucket else None
    if not bucket or not rules:
        return None
    after = ""
    while rows := ctx.store.execute(
        "SELECT DISTINCT key FROM s3_versions WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?",
        name,
        after,
        _BATCH,
    ):
        for row in rows:
            with ctx.store.transaction():
                _expire_key(ctx, bucket, rules, row["key"])
        after = rows[-1]["key"]
        await asyncio.sleep(0)
    for row in ctx.store.execute("SELECT * FROM s3_uploads WHERE bucket = ?", name):
        if abort_after(rules, row["key"], row["initiated"], ctx.now()):
            with ctx.store.transaction():
                drop_upload(ctx, row["upload"])
    return _EVERY


def _expire_key(ctx: Context, bucket: Body, rules: list[dict[str, Any]], key: str) -> None:
    rows = ctx.store.execute(
        "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? ORDER BY sequence DESC", bucket["Name"], key
    )
    versions = [from_row(row) for row in rows]
    for number, version in enumerate(versions):
        candidate = _candidate(version, number, alone=len(versions) == 1)
        if expired_by(rules, candidate, ctx.now()) is None:
            continue
        if version.current and not version.marker:
            marker, _ = delete_current(ctx, bucket, key)
            event = "DeleteMarkerCreated" if marker else "Delete"
            notify(ctx, bucket, marker or version, f"LifecycleExpiration:{event}", "Lifecycle Expiration")
        else:
            delete_version(ctx, version)
            notify(ctx, bucket, version, "LifecycleExpiration:Delete", "Lifecycle Expiration")


def _candidate(version: Version, number: int, alone: bool) -> Candidate:
    return Candidate(
        key=version.key,
        size=version.size,
        tags=version.tags,
        modified=version.modified,
        current=version.current,
        delete_marker=version.marker,
        noncurrent_since=version.noncurrent_since,
        newer_noncurrent=number - 1,
        only_marker=version.marker and alone,
    )


EXPIRY = Reconciler("s3.expiry", _buckets_with_rules, _expire)
