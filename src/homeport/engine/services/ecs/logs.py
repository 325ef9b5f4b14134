"""The awslogs driver: what containers write goes to CloudWatch Logs, over restarts of the engine.

Each container has a row with the position of the last line that was sent; a reconciler follows the container from
there until it has ended and everything is sent. Docker keeps the lines in the meantime.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator

from homeport.engine.containers.errors import DockerUnavailable, NoSuchContainer
from homeport.engine.containers.logs import Line, Position
from homeport.engine.durable.reconciler import Key
from homeport.engine.services.context import Client, Context
from homeport.engine.services.ecs import multiline
from homeport.engine.services.ecs.failure import CannotStart, told
from homeport.engine.services.ecs.tables import LOG_POSITIONS, TASKS
from homeport.engine.services.ecs.task_rows import ENDING, TASK, Body
from homeport.engine.services.engine import Engine
from homeport.engine.services.log_events import LogEvent, pieces, requests, unless_there
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

LOG = "ecs.log"
GATHER_SECONDS = 0.1
HELD_SECONDS = 5.0
"""How long a message of several lines may wait for the next of them."""
BATCH = 1000
RETRY_SECONDS = 2.0


async def open_stream(ctx: Context, row: Body, container: Body, docker_name: str, role: str | None) -> None:
    """Make the container's log stream and remember where its lines go. Raises CannotStart."""
    options = container["logConfiguration"].get("options", {})
    stream = stream_name(row, container, options)
    client = _client(ctx, role, options.get("awslogs-region", ctx.region))
    group = options.get("awslogs-group", "")
    try:
        begins = multiline.pattern(options)
    except ValueError as error:
        raise CannotStart(
            "ResourceInitializationError", f"failed to validate logger args: {error}", container["name"]
        ) from None
    try:
        if options.get("awslogs-create-group") == "true":
            await unless_there(client.create_log_group(logGroupName=group))
        await unless_there(client.create_log_stream(logGroupName=group, logStreamName=stream))
    except AwsError as error:
        raise CannotStart(
            "ResourceInitializationError",
            "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch "
            f"log stream: {told(error)} (log group {group!r})",
            container["name"],
        ) from error
    with ctx.store.transaction():
        if LOG_POSITIONS.get(ctx, row["taskId"], container["name"]) is None:
            position = {
                "taskId": row["taskId"],
                "container": container["name"],
                "clusterName": row["clusterName"],
                "docker": docker_name,
                "group": group,
                "stream": stream,
                "region": options.get("awslogs-region", ctx.region),
                "role": role,
                "pattern": begins,
                "after": None,
                "done": False,
            }
            LOG_POSITIONS.put(ctx, position)


def begin(ctx: Context, row: Body, container: str) -> None:
    """Follow a container that has been started."""
    ctx.wake(LOG, f"{row['taskId']}/{container}")


def all_sent(ctx: Context, row: Body) -> bool:
    """Whether everything that the task's ended containers wrote is in CloudWatch Logs."""
    return all(position["done"] for position in LOG_POSITIONS.list(ctx, row["taskId"]))


def keys(engine: Engine) -> Iterable[Key]:
    """The containers whose lines are not all sent."""
    for scope, position in LOG_POSITIONS.everywhere(engine.store):
        if not position["done"]:
            yield scope, f"{position['taskId']}/{position['container']}"


async def follow(ctx: Context, key: str) -> float | None:
    """Send what the container writes until it has ended."""
    position = LOG_POSITIONS.get(ctx, *key.split("/"))
    if position is None or position["done"]:
        return None
    if not await _take(ctx, position, follow=True) or not await _ended(ctx, position):
        return RETRY_SECONDS
    # Docker ends the stream with the container, even if it has not handed over everything yet
    if not await _take(ctx, position, follow=False):
        return RETRY_SECONDS
    LOG_POSITIONS.put(ctx, position | {"done": True})
    ctx.wake(TASK, f"{position['clusterName']}/{position['taskId']}")
    return None


async def _ended(ctx: Context, position: Body) -> bool:
    """Whether nothing more comes from the container; one that could not be started never says anything."""
    found = await ctx.engine.docker.inspect(position["docker"])
    if found is None or found["State"]["Status"] in ("exited", "dead"):
        return True
    row = TASKS.get(ctx, position["clusterName"], position["taskId"])
    return found["State"]["Status"] == "created" and (row is None or row["lastStatus"] in ENDING)


async def _take(ctx: Context, position: Body, follow: bool) -> bool:
    """Send the lines after the position; False when Docker went away amid them. What CloudWatch Logs refuses is
    lost, as on AWS."""
    complete = True
    lines: asyncio.Queue[Line | None] = asyncio.Queue(maxsize=BATCH * 10)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_read(ctx, position, lines, follow))
            await _send_all(ctx, position, lines)
    except* (NoSuchContainer, AwsError) as errors:
        log.warning("the lines of %s are not sent: %s", position["docker"], errors.exceptions[0])
    except* DockerUnavailable as errors:
        log.warning("the lines of %s are not sent yet: %s", position["docker"], errors.exceptions[0])
        complete = False
    return complete


async def _read(ctx: Context, position: Body, lines: asyncio.Queue[Line | None], follow: bool) -> None:
    after = Position(*position["after"]) if position["after"] else None
    async for line in ctx.engine.docker.logs(position["docker"], after, follow):
        await lines.put(line)
    await lines.put(None)


async def _send_all(ctx: Context, position: Body, lines: asyncio.Queue[Line | None]) -> None:
    held: list[Line] = []  # of a message that may go on
    last = False
    while not last:
        try:
            async with asyncio.timeout(HELD_SECONDS if held else None):
                came = [await lines.get()]
        except TimeoutError:
            await _send(ctx, position, [held])
            held = []
            continue
        await asyncio.sleep(GATHER_SECONDS)
        while len(came) < BATCH and not lines.empty():
            came.append(lines.get_nowait())
        last = came[-1] is None
        found = multiline.messages([*held, *(line for line in came if line)], position.get("pattern"))
        held = (
            found.pop() if found and position.get("pattern") and not last and len(found[-1]) < BATCH else []
        )
        if found:
            await _send(ctx, position, found)


async def _send(ctx: Context, position: Body, messages: list[list[Line]]) -> None:
    client = _client(ctx, position["role"], position["region"])
    for events in requests(_events(messages)):
        await client.put_log_events(
            logGroupName=position["group"], logStreamName=position["stream"], logEvents=events
        )
    position["after"] = list(messages[-1][-1].position)
    LOG_POSITIONS.put(ctx, position)


def _events(messages: list[list[Line]]) -> Iterator[LogEvent]:
    latest = 0
    for lines in messages:
        # two streams may be a little out of order, which PutLogEvents does not take
        latest = max(latest, int(lines[0].time * 1000))
        if text := "\n".join(line.text for line in lines):
            yield from (LogEvent(timestamp=latest, message=piece) for piece in pieces(text))


def stream_name(row: Body, container: Body, options: Body) -> str:
    """`<prefix>/<container>/<task>`."""
    prefix = options.get("awslogs-stream-prefix")
    return f"{prefix}/{container['name']}/{row['taskId']}" if prefix else row["taskId"]


def _client(ctx: Context, role: str | None, region: str) -> Client:
    if role:
        return ctx.engine.context("ecs-tasks", ctx.scope).client("logs", role=role, region=region)
    return ctx.client("logs", as_service=True, region=region)
