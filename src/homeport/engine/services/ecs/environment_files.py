"""Environment variables from files in S3, as the task's execution role.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.failure import CannotStart, told
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_FAILED = "failed to download env files: file download command: non empty error stream"


async def read(ctx: Context, container: Body, role: str | None) -> dict[str, str]:
    """The variables of all of a container's files; the first file that has one wins. Raises CannotStart."""
    found: dict[str, str] = {}
    for file in container.get("environmentFiles", []):
        if role is None:
            raise _failed(container, f"{file['value']}: the task definition has no executionRoleArn")
        try:
            text = await _download(ctx, file["value"], role)
        except AwsError as error:
            message = f"service call has been retried 1 time(s): {told(error)} ({file['value']})"
            raise _failed(container, message) from error
        except UnicodeDecodeError:
            raise _failed(container, f"{file['value']} is not UTF-8") from None
        found = parse(text) | found
    return found


def parse(text: str) -> dict[str, str]:
    """`VARIABLE=VALUE` a line; spaces and quotation marks belong to the value, lines that begin with # do not count."""
    parts = [line.partition("=") for line in text.splitlines() if not line.startswith("#")]
    found: dict[str, str] = {}
    for name, equals, value in parts:
        if name and equals:
            found.setdefault(name, value)
    return found


async def _download(ctx: Context, arn: str, role: str) -> str:
    bucket, _, key = arn.partition(":::")[2].partition("/")
    s3 = ctx.engine.context("ecs-tasks", ctx.scope).client("s3", role=role)
    await s3.get_bucket_location(Bucket=bucket)
    body = (await s3.get_object(Bucket=bucket, Key=key))["Body"]
    data = body if isinstance(body, bytes) else b"".join([chunk async for chunk in body])
    return data.decode()


def _failed(container: Body, why: str) -> CannotStart:
    return CannotStart("ResourceInitializationError", f"{_FAILED}: {why}", container["name"])
