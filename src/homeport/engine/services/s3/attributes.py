"""GetObjectAttributes: what is known of an object, and of the parts it was uploaded in."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import find_bucket
from homeport.engine.services.s3.versions import Version, find_version, is_versioned
from homeport.engine.services.service import operation


@operation
async def get_object_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html"""
    bucket = find_bucket(ctx, request)
    version = find_version(ctx, request)
    known = {
        "ETag": version.etag,
        "Checksum": version.checksums or None,
        "ObjectParts": _parts(version, request) if version.parts else None,
        "StorageClass": version.headers.get("StorageClass", "STANDARD"),
        "ObjectSize": version.size,
    }
    return {
        "LastModified": version.modified,
        "VersionId": version.version if is_versioned(bucket) else None,
        **{name: known[name] for name in request["ObjectAttributes"]},
    }


def _parts(version: Version, request: dict[str, Any]) -> dict[str, Any]:
    marker = int(request.get("PartNumberMarker") or 0)
    limit = request.get("MaxParts", 1000)
    rest = [part for part in version.parts if part["PartNumber"] > marker]
    return {
        "TotalPartsCount": len(version.parts),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": rest[:limit][-1]["PartNumber"] if rest[:limit] else 0,
        "MaxParts": limit,
        "IsTruncated": len(rest) > limit,
        "Parts": rest[:limit] if version.checksums else None,
    }
