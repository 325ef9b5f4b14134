"""From a build's transcript to its log stream in CloudWatch Logs, and to its log file in S3.

https://docs.aws.amazon.com/codebuild/latest/userguide/change-project-console.html#change-project-console-logs
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import accumulate

from homeport.engine.services.codebuild import transcript
from homeport.engine.services.codebuild.tables import TRANSCRIPTS, Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.context import Context
from homeport.engine.services.log_events import LogEvent, requests, unless_there
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

_EVENTS = 2_000


async def create(ctx: Context, build: Row) -> None:
    """Make the log group and the stream, as the build's role. Raises PhaseFailed."""
    if "groupName" not in build["logs"]:
        return
    logs = ctx.client("logs", role=build["serviceRole"])
    group, stream = build["logs"]["groupName"], build["logs"]["streamName"]
    try:
        try:
            await logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            await unless_there(logs.create_log_group(logGroupName=group))
            await unless_there(logs.create_log_stream(logGroupName=group, logStreamName=stream))
    except AwsError as error:
        if error.code == "ResourceAlreadyExistsException":
            return
        raise PhaseFailed(
            "ACCESS_DENIED",
            f"Service role {build['serviceRole']} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log "
            f"streams for build {build['arn']}. Error message: {error.message}",
        ) from None


class LogStream:
    """Writes one build's lines to its stream, in their order."""

    def __init__(self, ctx: Context, build: Row) -> None:
        self._ctx = ctx
        self._build = build
        self._wanted = "groupName" in build["logs"]
        self._lock = asyncio.Lock()
        self._counted = False

    async def flush(self) -> None:
        """Write the lines that are not written yet. A role that may not write them loses the log, not the build."""
        if not self._wanted:
            return
        async with self._lock:
            try:
                if not self._counted:
                    await self._count()
                while await self._write_some():
                    pass
            except AwsError as error:
                log.warning("the log of %s cannot be written: %s", self._build["id"], error)
                self._wanted = False

    async def _count(self) -> None:
        """How many lines are there: an engine that was killed may have written some that it did not note."""
        row = transcript.get(self._ctx, self._build["id"])
        self._counted = True
        if row["count"] == row["written"]:
            return
        logs = self._ctx.client("logs", as_service=True)
        place = {
            "logGroupName": self._build["logs"]["groupName"],
            "logStreamName": self._build["logs"]["streamName"],
        }
        there, token = 0, None
        while True:
            answer = await logs.get_log_events(**place, startFromHead=True, nextToken=token)
            there += len(answer["events"])
            if not answer["events"] or answer["nextForwardToken"] == token:
                break
            token = answer["nextForwardToken"]
        TRANSCRIPTS.put(self._ctx, row | {"written": there})

    async def _write_some(self) -> bool:
        ctx, build = self._ctx, self._build
        row = transcript.get(ctx, build["id"])
        lines = transcript.lines(ctx, build["id"], row["written"], _EVENTS)
        times = accumulate((line["time"] for line in lines), max)  # PutLogEvents takes no other order
        texts = (f"{line['text']}\n" for line in lines)
        events = next(requests(_events(times, texts)), None)
        if events is None:
            return False
        await ctx.client("logs", role=build["serviceRole"]).put_log_events(
            logGroupName=build["logs"]["groupName"],
            logStreamName=build["logs"]["streamName"],
            logEvents=events,
        )
        with ctx.store.transaction():
            row = transcript.get(ctx, build["id"])
            TRANSCRIPTS.put(ctx, row | {"written": row["written"] + len(events)})
        return True


def _events(times: Iterable[float], texts: Iterable[str]) -> Iterator[LogEvent]:
    for time, text in zip(times, texts, strict=True):
        yield {"timestamp": int(time * 1000), "message": text}


async def write_s3(ctx: Context, build: Row) -> None:
    """Write the whole log, compressed, where the project's s3Logs want it."""
    if not (arn := build["logs"].get("s3LogsArn")):
        return
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    body = gzip.compress("".join([text async for text in _all(ctx, build["id"])]).encode())
    try:
        await ctx.client("s3", role=build["serviceRole"]).put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="text/plain", ContentEncoding="gzip"
        )
    except AwsError as error:
        raise PhaseFailed("CLIENT_ERROR", f"Error while uploading the log to S3: {error.message}") from None


async def _all(ctx: Context, id: str) -> AsyncIterator[str]:
    after = 0
    while rows := transcript.lines(ctx, id, after, _EVENTS):
        for row in rows:
            yield row["text"] + "\n"
        after = rows[-1]["number"]
