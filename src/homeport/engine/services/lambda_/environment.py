"""Execution environments: a container that answers a version's invocations, one after the other.

The runtime inside asks the runtime API for the next invocation and posts what it returns. An environment is lost
with the engine: an invocation from a queue is then invoked again, as Lambda may do at any time.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from typing import Any, NamedTuple

from homeport.engine.containers.errors import DockerRefused, DockerUnavailable, NoSuchContainer
from homeport.engine.containers.runtime import Exit
from homeport.engine.services.context import Context
from homeport.engine.services.lambda_ import container, metrics
from homeport.engine.services.lambda_.log_stream import LogStream, stream_name
from homeport.engine.services.lambda_.runtime.bootstrap import DONE, NEWLINE
from homeport.engine.services.lambda_.runtimes import RUNTIMES
from homeport.engine.services.lambda_.tables import Row

INIT_SECONDS = 10.0
"""How long a runtime may take to ask for its first invocation; longer only if the function's timeout is longer."""
_QUIET_SECONDS = 0.05
_LOG_SECONDS = 1.0


class Invocation(NamedTuple):
    """One event for a function. `arn` is the ARN as it was invoked, with its qualifier."""

    request_id: str
    payload: bytes
    arn: str
    client_context: str | None = None


class Outcome(NamedTuple):
    """What came of an invocation: the payload, `Unhandled` when it is an error, the end of its log when it was asked
    for."""

    payload: bytes
    error: str | None
    tail: bytes = b""


class _Answer(NamedTuple):
    payload: bytes
    error: str | None
    kind: str = ""


class Environment:
    """One container. `prepare` starts it, `invoke` gives it work, `remove` ends it; the runtime API calls `next`,
    `respond` and `fail_init` for what runs inside."""

    def __init__(self, ctx: Context, version: Row) -> None:
        self.ctx = ctx
        self.version = version
        self.configuration: Row = version["configuration"]
        self.id = secrets.token_hex(16)
        self.key = version["code"]["generation"]
        self.settling: asyncio.Task[None] | None = None
        self.began = time.monotonic()
        self.log = LogStream(
            ctx,
            self.configuration["LoggingConfig"]["LogGroup"],
            stream_name(ctx.now(), self.configuration["Version"], self.id),
            self.configuration["Role"],
        )
        self._work: asyncio.Queue[tuple[Invocation, float] | None] = asyncio.Queue()
        self._ready: asyncio.Future[_Answer | None] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._exit: _Answer | None = None
        self._current: str | None = None
        self._logged: asyncio.Event = asyncio.Event()
        self._last_line = 0.0
        self._init_seconds: float | None = None
        self._peak = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.dead = False
        self.retired = False

    @property
    def name(self) -> str:
        """The container's name."""
        return self.ctx.engine.docker.name("lambda", self.id[:12])

    async def prepare(self) -> None:
        """Make and start the container. Raises DockerRefused, DockerUnavailable."""
        await container.create(self.ctx, self.version, self.name, self.id, self.log)
        if runtime := self.configuration.get("Runtime"):
            really = RUNTIMES[runtime].really
            self.log.write(f"INIT_START Runtime Version: {really} of this machine, for {runtime}")
        self.began = time.monotonic()
        await self.ctx.engine.docker.start(self.name)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._watch()), loop.create_task(self._read())]

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Have the function answer. It never raises: what goes wrong is the outcome's error."""
        began = time.monotonic()
        timeout = float(self.configuration["Timeout"])
        answer = await self._initialized(max(INIT_SECONDS, timeout))
        first, self._init_seconds = self._init_seconds, None
        self.log.begin()
        self.log.write(f"START RequestId: {invocation.request_id} Version: {self.configuration['Version']}")
        if answer is None:
            began = time.monotonic()
            answer = await self._answered(invocation, timeout)
        took = time.monotonic() - began
        answer = answer._replace(payload=_with_request_id(answer.payload, invocation.request_id, answer.kind))
        self.settling = asyncio.get_running_loop().create_task(self._settle(invocation, answer, took, first))
        return Outcome(answer.payload, answer.error)

    async def tail(self) -> bytes:
        """The last 4 KB of the last invocation's log, once all of it is there."""
        if self.settling:
            await asyncio.shield(self.settling)
        return self.log.tail()

    async def _initialized(self, limit: float) -> _Answer | None:
        """None once the runtime has asked for work; else why it never will."""
        try:
            async with asyncio.timeout(limit):
                return await asyncio.shield(self._ready)
        except TimeoutError:
            self.dead = True
            return _fault("Sandbox.Timedout", f"Error: Task timed out after {limit:.2f} seconds")

    async def _answered(self, invocation: Invocation, timeout: float) -> _Answer:
        if self._exit:
            return self._exit
        self._answer = asyncio.get_running_loop().create_future()
        self._current = invocation.request_id
        self._logged.clear()
        # the container's own clock, which is the machine's
        self._work.put_nowait((invocation, time.time() + timeout))
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._answer)
        except TimeoutError:
            self.dead = True
            return _fault("Sandbox.Timedout", f"Error: Task timed out after {timeout:.2f} seconds")
        finally:
            self._current = None

    async def _settle(self, invocation: Invocation, answer: _Answer, took: float, init: float | None) -> None:
        """Wait for what the invocation wrote, then report."""
        await metrics.invoked(self.ctx, self.configuration["FunctionName"], took, answer.error is not None)
        if answer.kind != "Sandbox.Timedout":
            await self._hear()
        memory = await self._memory(answer)
        if answer.kind == "Sandbox.Timedout":
            self.log.write(
                f"{invocation.request_id} {json.loads(answer.payload)['errorMessage'].partition('Error: ')[2]}"
            )
        elif answer.kind:
            self.log.write(json.loads(answer.payload)["errorMessage"])
        self.log.write(f"END RequestId: {invocation.request_id}")
        self.log.write(self._report(invocation, answer, took, init, memory))

    async def _hear(self) -> None:
        """Until the invocation's last line is here. Our own runtimes mark it; after others a moment of silence
        tells."""
        until = time.monotonic() + _LOG_SECONDS
        if "Runtime" in self.configuration:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._logged.wait(), _LOG_SECONDS)
            return
        self._last_line = time.monotonic()
        while time.monotonic() < min(until, self._last_line + _QUIET_SECONDS):
            await asyncio.sleep(0.02)

    async def _memory(self, answer: _Answer) -> int:
        """MB of memory used at most. Our own runtimes tell it with an invocation's last line."""
        if answer.kind == "Runtime.OutOfMemory":
            return int(self.configuration["MemorySize"])
        if "Runtime" not in self.configuration or answer.kind == "Sandbox.Timedout":
            with contextlib.suppress(DockerRefused, DockerUnavailable):
                self._peak = max(self._peak, await self.ctx.engine.docker.resident(self.name))
        return self._peak // 1024**2

    def _report(
        self, invocation: Invocation, answer: _Answer, took: float, init: float | None, memory: int
    ) -> str:
        size = int(self.configuration["MemorySize"])
        parts = [
            f"REPORT RequestId: {invocation.request_id}",
            f"Duration: {took * 1000:.2f} ms",
            f"Billed Duration: {-int(-(took + (init or 0.0)) * 1000 // 1)} ms",
            f"Memory Size: {size} MB",
            f"Max Memory Used: {min(memory, size)} MB",
        ]
        if init is not None:
            parts.append(f"Init Duration: {init * 1000:.2f} ms")
        if answer.kind == "Sandbox.Timedout":
            parts.append("Status: timeout")
        elif answer.kind:
            parts += ["Status: error", f"Error Type: {answer.kind}"]
        return "\t".join(parts)

    # -- what the runtime inside asks

    async def next(self) -> tuple[Invocation, float] | None:
        """The next invocation and its deadline (epoch seconds); None when the environment ends."""
        if not self._ready.done():
            self._init_seconds = time.monotonic() - self.began
            self._ready.set_result(None)
        return await self._work.get()

    def respond(self, request_id: str, payload: bytes, error: str | None) -> bool:
        """Take the answer of an invocation; False when it is not the one that is under way."""
        if request_id != self._current or self._answer.done():
            return False
        self._answer.set_result(_Answer(payload, error))
        return True

    def fail_init(self, payload: bytes) -> None:
        """The runtime could not begin: its error is the outcome."""
        if not self._ready.done():
            self.dead = True
            self._ready.set_result(_Answer(payload, "Unhandled"))

    # -- what Docker tells

    async def _watch(self) -> None:
        """Tell whoever waits when the container has ended."""
        try:
            ended = await self.ctx.engine.docker.wait(self.name)
        except NoSuchContainer:
            ended = Exit(137, False, "", None, None)
        self.dead = True
        self._exit = _exit_fault(ended)
        for waiting in (self._ready, self._answer):
            if not waiting.done():
                waiting.set_result(self._exit)

    async def _read(self) -> None:
        """Write what the container writes to the log."""
        with contextlib.suppress(DockerRefused, DockerUnavailable):
            async for line in self.ctx.engine.docker.logs(self.name):
                self._last_line = time.monotonic()
                text, done, mark = line.text.partition(DONE)
                if text.startswith(NEWLINE):
                    self.log.write(text[1:].replace(NEWLINE, "\n"))
                elif text or not done:
                    self.log.write(text)
                if done:
                    kilobytes = mark.rpartition(" ")[2]
                    self._peak = int(kilobytes) * 1024 if kilobytes.isdecimal() else self._peak
                    self._logged.set()
        self._logged.set()

    async def remove(self) -> None:
        """End the container and send the rest of its log."""
        self.dead = True
        self._work.put_nowait(None)
        with contextlib.suppress(DockerRefused, DockerUnavailable):
            await self.ctx.engine.docker.remove(self.name)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.log.flush()


def _fault(kind: str, message: str) -> _Answer:
    return _Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled", kind)


def _exit_fault(ended: Exit) -> _Answer:
    if ended.oom:
        return _fault("Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed")
    if ended.code == 0:
        return _fault("Runtime.ExitError", "Error: Runtime exited without providing a reason")
    signal = {137: "signal: killed", 139: "signal: segmentation fault"}.get(ended.code)
    return _fault(
        "Runtime.ExitError", f"Error: Runtime exited with error: {signal or f'exit status {ended.code}'}"
    )


def _with_request_id(payload: bytes, request_id: str, kind: str) -> bytes:
    """Faults of the sandbox name the request."""
    if not kind:
        return payload
    fault: dict[str, Any] = json.loads(payload)
    return json.dumps({**fault, "errorMessage": f"RequestId: {request_id} {fault['errorMessage']}"}).encode()
