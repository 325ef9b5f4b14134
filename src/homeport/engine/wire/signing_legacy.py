"""Signature Version 2 of presigned S3 URLs, which boto3 still makes unless it is told otherwise.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from homeport.engine.wire.http import Request

_SUBRESOURCES = (
    "accelerate acl cors delete lifecycle location logging notification partNumber policy requestPayment restore "
    "tagging torrent uploadId uploads versionId versioning versions website response-cache-control "
    "response-content-disposition response-content-encoding response-content-language response-content-type "
    "response-expires"
)
_NOT_SIGNED = ("x-amz-date",)


def is_legacy(request: Request) -> bool:
    """Whether the URL is presigned in this way."""
    return all(request.parameter(name) is not None for name in ("AWSAccessKeyId", "Signature", "Expires"))


def sign(request: Request, path: str, secret: str) -> str:
    """The signature of the request; `path` begins with the bucket, wherever the request named it."""
    key, text = secret.encode(), _string_to_sign(request, path).encode("utf-8", "surrogateescape")
    return base64.b64encode(hmac.new(key, text, hashlib.sha1).digest()).decode()


def _string_to_sign(request: Request, path: str) -> str:
    given = dict(request.headers) | {
        name.lower(): value for name, value in request.query if name.lower().startswith("x-amz-")
    }
    amz = "".join(
        f"{name}:{value}\n"
        for name, value in sorted(given.items())
        if name.startswith("x-amz-") and name not in _NOT_SIGNED
    )
    content = [given.get(name, "") for name in ("content-md5", "content-type")]
    lines = [request.method, *content, request.parameter("Expires") or "", amz + _resource(request, path)]
    return "\n".join(lines)


def _resource(request: Request, path: str) -> str:
    chosen = sorted((name, value) for name, value in request.query if name in _SUBRESOURCES.split())
    query = "&".join(f"{name}={value}" if value else name for name, value in chosen)
    return f"{path}?{query}" if query else path
