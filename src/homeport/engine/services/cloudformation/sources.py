"""Where a template's text comes from: the request, an object in S3, or the stack as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.tables import Body
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


async def read_source(ctx: Context, request: Mapping[str, Any], stack: Body) -> str:
    """The text of the template that a request means, as its TemplateBody, TemplateURL or UsePreviousTemplate say."""
    if request.get("UsePreviousTemplate"):
        if "source" not in stack:
            raise invalid("UsePreviousTemplate is only for stacks that have a template.")
        return stack["source"]
    if ("TemplateBody" in request) == ("TemplateURL" in request):
        raise invalid("Either Template URL or Template Body must be specified.")
    if "TemplateBody" in request:
        return request["TemplateBody"]
    return await read_text(ctx, request["TemplateURL"])


async def read_text(ctx: Context, location: str) -> str:
    """The text of an object in S3, read with the caller's permissions. Raises ValidationError."""
    bucket, key = parse_location(location)
    try:
        body = (await ctx.client("s3").get_object(Bucket=bucket, Key=key))["Body"]
    except AwsError as error:
        raise invalid(f"S3 error: {error.message} ({bucket}/{key})") from None
    data = body if isinstance(body, bytes) else b"".join([chunk async for chunk in body])
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise invalid(f"The template at {location} is not text in UTF-8.") from None


def parse_location(location: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` location or an S3 URL in path or virtual-host style."""
    parts = urlsplit(location)
    host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    if parts.scheme == "s3":
        bucket, key = parts.netloc, path
    elif host.startswith(("s3.", "s3-")) or ".s3" not in host:
        bucket, _, key = path.partition("/")
    else:
        bucket, key = host.partition(".s3")[0], path
    if parts.scheme not in ("s3", "https", "http") or not bucket or not key:
        raise invalid("TemplateURL must be a supported URL.")
    return bucket, key
