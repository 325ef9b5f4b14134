"""One stack operation at work: whose permissions it has, its stack's row, and its resources in parallel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import TypeVar

from homeport.engine.durable.execution import Execution
from homeport.engine.services.cloudformation.graph import Graph
from homeport.engine.services.cloudformation.resources.provider import (
    HalfMade,
    Made,
    NotUpdatable,
    Request,
)
from homeport.engine.services.cloudformation.tables import RESOURCES, STACKS, Body, add_event, set_status
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Principal

log = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE = 24
"""How many resources are worked on at the same time."""

CANCELLED = "Cancelled"


class ResourceFailed(Exception):
    """A resource could not be brought to where it should be; the text is the reason in its event."""


def dump_principal(principal: Principal) -> Body:
    """A principal as an execution's input holds it."""
    return asdict(principal)


def load_principal(body: Body) -> Principal:
    """The principal that `dump_principal` wrote."""
    return Principal(**{**body, "session_policies": tuple(body["session_policies"])})


class Work:
    """A running operation on a stack."""

    def __init__(self, x: Execution) -> None:
        self.x = x
        self.ctx: Context = x.ctx
        self.stack_id: str = x.input["stack"]
        self.actor = replace(self.ctx, principal=load_principal(x.input["principal"]))
        self.role: str | None = x.input.get("role")
        self.cancellable = False
        self.watch: Callable[[], Awaitable[str | None]] | None = None
        self.deadline: float | None = None
        self._begun: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failed = asyncio.Event()

    @property
    def stack(self) -> Body:
        """The stack's row as it is now."""
        stack = STACKS.get(self.ctx, self.stack_id)
        if stack is None:
            raise RuntimeError(f"the row of {self.stack_id} is missing")
        return stack

    def row(self, id: str) -> Body | None:
        """A resource's row."""
        return RESOURCES.get(self.ctx, self.stack_id, id)

    async def status(self, step: str, status: str, reason: str | None = None) -> None:
        """Give the stack a status, once."""
        await self.x.record(step, lambda: set_status(self.ctx, self.stack, status, reason))

    def event(self, row: Body, status: str, reason: str | None = None) -> None:
        """Add a resource's event."""
        id, physical = row["LogicalResourceId"], row.get("PhysicalResourceId") or ""
        add_event(self.ctx, self.stack, id, physical, row["ResourceType"], status, reason)

    def put(self, row: Body, status: str, reason: str | None = None) -> None:
        """Write a resource's row with a new status, and its event."""
        row["ResourceStatus"] = status
        row["Timestamp"] = self.ctx.now()
        row.pop("ResourceStatusReason", None)
        if reason:
            row["ResourceStatusReason"] = reason
        RESOURCES.put(self.ctx, row)
        self.event(row, status, reason)

    def request(self, row: Body, step: str, properties: Body, previous: Body | None = None) -> Request:
        """What the resource's provider is asked to do in this step."""
        stack = self.stack
        return Request(
            ctx=self.actor,
            role=self.role,
            stack_id=self.stack_id,
            stack_name=stack["StackName"],
            logical_id=row["LogicalResourceId"],
            type=row["ResourceType"],
            properties=properties,
            token=self.x.token(step),
            id=row.get("PhysicalResourceId") or "",
            attributes=row.get("attributes", {}),
            previous=previous or {},
            resumed=step not in self._begun,
            replaced=(row.get("before") or {}).get("PhysicalResourceId") or "",
            host=self.x.input.get("host", ""),
        )

    def begin(self, step: str) -> None:
        """Remember that this process is the first to carry out a step."""
        self._begun.add(step)

    async def attempt(self, request: Request, effect: Callable[[], Awaitable[Made]]) -> Body:
        """Carry out a provider's effect: the outcome as a step records it, an error among them."""
        try:
            made = await effect()
        except NotUpdatable as error:
            return {"error": _reason(error, request.token), "untouched": True}
        except AwsError as error:
            return {"error": _reason(error, request.token)}
        except HalfMade as half:
            return {"error": _reason(half.error, request.token), "id": half.id}
        except TimeoutError:
            return {"error": f"Resource timed out: {request.logical_id} did not stabilize in time"}
        except ResourceFailed as error:
            return {"error": str(error)}
        except Exception as error:
            log.exception("%s of %s failed", request.type, request.logical_id)
            return {
                "error": f"Internal Failure: {type(error).__name__} in homeport; the engine's log has it."
            }
        return {"id": made.id, "attributes": made.attributes}

    async def poll(self, ask: Callable[[], Awaitable[T | None]], every: float, seconds: float) -> T:
        """Ask until there is an answer. Raises TimeoutError, and ResourceFailed once the operation has failed, is
        cancelled, or a rollback trigger wants it back (`watch` says why)."""
        deadline = self.ctx.now() + seconds
        with self.ctx.engine.signals.listen(
            [self.x.stop_topic, f"cloudformation.wake:{self.stack_id}"]
        ) as heard:
            while (answer := await ask()) is None:
                if self._failed.is_set():
                    raise ResourceFailed("Resource creation cancelled")
                if self.cancellable and self.x.stop_reason():
                    raise ResourceFailed(CANCELLED)
                if self.cancellable and self.watch and (why := await self.watch()):
                    raise ResourceFailed(why)
                if self.deadline is not None and self.ctx.now() > self.deadline:
                    raise ResourceFailed(
                        "Stack creation time exceeded the specified timeout. Rollback requested by user."
                    )
                if self.ctx.now() > deadline:
                    raise TimeoutError
                await heard.wait(self.ctx.clock.real(every))
        return answer

    async def walk(
        self, step: str, graph: Graph, visit: Callable[[str], Awaitable[None]], *, keep_going: bool = False
    ) -> dict[str, str]:
        """Visit every resource after those it needs, independent ones at the same time. After a failure nothing
        new begins, unless `keep_going`: then only what needs the failed one is left out. Answers the reasons of
        the failures by logical id. A walk is a step: one that has ended is not walked again after a restart, when
        the rows may tell of what came after it."""
        return await self.x.step(step, lambda: self._walk(graph, visit, keep_going))

    async def _walk(
        self, graph: Graph, visit: Callable[[str], Awaitable[None]], keep_going: bool
    ) -> dict[str, str]:
        failures: dict[str, str] = {}
        done: Mapping[str, asyncio.Future[bool]] = {
            id: asyncio.get_running_loop().create_future() for id in graph
        }
        self._failed = asyncio.Event()

        async def one(id: str) -> None:
            held = [not await done[need] for need in graph[id]]
            async with self._slots:
                stopped = bool(failures) or (self.cancellable and self.x.stop_reason() is not None)
                ok = not any(held) and (keep_going or not stopped)
                if ok:
                    try:
                        await visit(id)
                    except ResourceFailed as failure:
                        failures[id] = str(failure)
                        ok = False
                        if not keep_going:
                            self._failed.set()
                            self.ctx.engine.signals.notify(f"cloudformation.wake:{self.stack_id}")
            done[id].set_result(ok)

        async with asyncio.TaskGroup() as group:
            for id in graph:
                group.create_task(one(id))
        if not failures and self.cancellable and self.x.stop_reason() is not None:
            failures[self.stack_id] = CANCELLED
        return failures


_HANDLER_CODES = (
    (("accessdenied", "unauthorized", "notauthorized"), "AccessDenied"),
    (("alreadyexists", "alreadyowned", "duplicate", "conflict"), "AlreadyExists"),
    (("notfound", "nosuch"), "NotFound"),
    (("limitexceeded",), "ServiceLimitExceeded"),
    (("throttl",), "Throttling"),
    (("notstabilized",), "NotStabilized"),
    (("notimplemented",), "GeneralServiceException"),
)


def _reason(error: AwsError, token: str) -> str:
    code = error.code.replace(".", "").lower()
    handler = next(
        (name for words, name in _HANDLER_CODES if any(word in code for word in words)), "InvalidRequest"
    )
    return f'Resource handler returned message: "{error.message}" (RequestToken: {token}, HandlerErrorCode: {handler})'
