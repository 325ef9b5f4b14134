"""Access logs to S3."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


async def prove_access(ctx: Context, balancer: Body, attributes: dict[str, str]) -> None:
    """Write the test file that AWS writes when access logs are switched on. Raises when the bucket is not there."""
    if attributes.get("access_logs.s3.enabled") != "true":
        return
    bucket = attributes.get("access_logs.s3.bucket", "")
    if not bucket:
        raise AwsError("ValidationError", "The value of 'access_logs.s3.bucket' cannot be empty")
    key = f"{log_folder(ctx, attributes)}/ELBAccessLogTestFile"
    text = f"Enable AccessLog for ELB: {balancer['LoadBalancerName']} at {int(ctx.now())}\n"
    try:
        await ctx.client("s3", as_service=True).put_object(Bucket=bucket, Key=key, Body=text.encode())
    except AwsError as error:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {bucket}. Please check S3bucket permission: {error.message}",
        ) from error


def log_folder(ctx: Context, attributes: dict[str, str]) -> str:
    """The key under which AWS puts a load balancer's logs: `<prefix>/AWSLogs/<account>`."""
    prefix = attributes.get("access_logs.s3.prefix", "").strip("/")
    return f"{prefix}/AWSLogs/{ctx.account}" if prefix else f"AWSLogs/{ctx.account}"
