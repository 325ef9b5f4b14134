"""The execution environments of an engine: which are free, how many there may be, when they go.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Coroutine, Iterable
from typing import Any

from homeport.engine.containers.errors import DockerRefused, DockerUnavailable
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.lambda_ import metrics
from homeport.engine.services.lambda_.environment import Environment, Invocation, Outcome
from homeport.engine.services.lambda_.images import Unready
from homeport.engine.services.lambda_.tables import FUNCTIONS, Row
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

ACCOUNT_CONCURRENCY = 1000
IDLE_SECONDS = 300.0
OLDEST_SECONDS = 3 * 3600.0
"""An environment's credentials are valid for six hours."""


class Pool:
    """All environments. A version's environment is used again until nothing has come for five minutes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._environments: dict[str, Environment] = {}
        self._idle: list[Environment] = []
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._busy: dict[tuple[Scope, str], int] = {}
        self._freed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._limit = max(16, 8 * (os.cpu_count() or 1))

    def find(self, id: str) -> Environment | None:
        """The environment of this id."""
        return self._environments.get(id)

    async def run(self, ctx: Context, version: Row, invocation: Invocation, tail: bool = False) -> Outcome:
        """Have a version answer. Raises TooManyRequestsException, ServiceException."""
        function = (ctx.scope, version["FunctionName"])
        try:
            self._admit(ctx, version["FunctionName"])
        except AwsError:
            await metrics.throttled(ctx, version["FunctionName"])
            raise
        self._busy[function] = self._busy.get(function, 0) + 1
        try:
            environment = await self._take(ctx, version)
            try:
                outcome = await environment.invoke(invocation)
                return outcome._replace(tail=await environment.tail()) if tail else outcome
            except BaseException:
                environment.dead = True  # whoever waited has gone, and what runs inside does not know
                raise
            finally:
                self._release(environment)
        finally:
            self._busy[function] -= 1
            if not self._busy[function]:
                del self._busy[function]

    def _admit(self, ctx: Context, name: str) -> None:
        reserved = (FUNCTIONS.get(ctx, name) or {}).get("ReservedConcurrentExecutions")
        if reserved is not None and self._busy.get((ctx.scope, name), 0) >= reserved:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        elif sum(self._busy.values()) >= ACCOUNT_CONCURRENCY:
            reason = "ConcurrentInvocationLimitExceeded"
        else:
            return
        raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Reason=reason, Type="User")

    async def _take(self, ctx: Context, version: Row) -> Environment:
        """A free environment of the version, or a new one."""
        while found := next(
            (one for one in reversed(self._idle) if one.key == version["code"]["generation"]), None
        ):
            self._occupy(found)
            if found.settling:
                await asyncio.shield(found.settling)
            if not found.dead:
                return found
            await self._remove(found)
        async with self._freed:
            while len(self._environments) >= self._limit:
                if self._idle:
                    self._discard(self._idle[0])
                await self._freed.wait()
            environment = Environment(ctx.engine.context("lambda", ctx.scope), version)
            self._environments[environment.id] = environment
        try:
            await environment.prepare()
        except (DockerRefused, DockerUnavailable, Unready, AwsError) as error:
            await self._remove(environment)
            message = error.message if isinstance(error, DockerRefused | AwsError) else str(error)
            if isinstance(error, AwsError) and error.code == "AccessDenied":
                raise AwsError(
                    "AccessDeniedException",
                    "The role defined for the function cannot be assumed by Lambda.",
                    403,
                ) from None
            raise AwsError("ServiceException", f"The function could not be started: {message}", 500) from None
        except BaseException:
            self._discard(environment)
            raise
        return environment

    def _occupy(self, environment: Environment) -> None:
        self._idle.remove(environment)
        if timer := self._timers.pop(environment.id, None):
            timer.cancel()

    def _release(self, environment: Environment) -> None:
        """Keep it for the next invocation, unless it is dead, old or not wanted any more."""
        if environment.id not in self._environments:
            return
        old = time.monotonic() - environment.began > OLDEST_SECONDS
        if environment.dead or environment.retired or old:
            self._spawn(self._remove(environment))
            return
        self._idle.append(environment)
        delay = self._engine.clock.real(IDLE_SECONDS)
        loop = asyncio.get_running_loop()
        self._timers[environment.id] = loop.call_later(delay, self._discard, environment)
        self._spawn(self._tell())

    async def _tell(self) -> None:
        async with self._freed:
            self._freed.notify_all()

    def retire(self, generations: Iterable[str]) -> None:
        """Use environments of these versions no more: the function was changed or deleted."""
        wanted = set(generations)
        for environment in list(self._environments.values()):
            if environment.key in wanted:
                environment.retired = True
                if environment in self._idle:
                    self._discard(environment)

    def _discard(self, environment: Environment) -> None:
        if environment in self._idle:
            self._occupy(environment)
        self._spawn(self._remove(environment))

    async def _remove(self, environment: Environment) -> None:
        if environment.settling:
            await asyncio.gather(environment.settling, return_exceptions=True)
        await environment.remove()
        self._environments.pop(environment.id, None)
        await self._tell()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Remove all environments."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._idle.clear()
        await asyncio.gather(
            *(self._remove(one) for one in list(self._environments.values())), return_exceptions=True
        )
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def clear_left(self) -> None:
        """Remove the containers that an engine which was killed left behind."""
        with contextlib.suppress(DockerRefused, DockerUnavailable):
            known = {one.name for one in self._environments.values()}
            for found in await self._engine.docker.containers(service="lambda"):
                if not known & {name.removeprefix("/") for name in found["Names"]}:
                    await self._engine.docker.remove(found["Id"])
