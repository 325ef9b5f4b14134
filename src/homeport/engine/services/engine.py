"""The engine: services over one store, and the calls between them."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from botocore import xform_name

from homeport.engine import durable, store
from homeport.engine.config import Config
from homeport.engine.durable.clock import Clock
from homeport.engine.durable.ending import end
from homeport.engine.durable.failpoints import Failpoints
from homeport.engine.durable.once import once
from homeport.engine.durable.reconciler import ReconcileLoop
from homeport.engine.durable.runner import Runner
from homeport.engine.durable.signals import Signals
from homeport.engine.services.context import Context, principal_name
from homeport.engine.services.identity import Identity
from homeport.engine.services.service import Operation, Service
from homeport.engine.store.blobs import Blobs
from homeport.engine.store.database import Scope, Store
from homeport.engine.wire import validation
from homeport.engine.wire.call import Call, new_id
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import AsgiApp, Request, Response
from homeport.engine.wire.principal import Credential, root
from homeport.engine.wire.principal import service as service_principal

if TYPE_CHECKING:
    from homeport.engine.containers.runtime import Runtime
    from homeport.engine.proxy.proxy import Proxy
    from homeport.engine.wire.authority import Authority

log = logging.getLogger(__name__)

T = TypeVar("T")

NETWORK_TOPIC = "engine.network"
"""Notified when the engine's network is there, so that `gateway` is known."""

Observer = Callable[[Call, dict[str, Any] | None, AwsError | None], None]


class Elsewhere(Protocol):
    """What answers the services that are not homeport's own."""

    async def answer(self, request: Request, body: bytes, call: Call) -> Response:
        """Answer a request that came over the wire."""

    async def invoke(self, call: Call) -> dict[str, Any]:
        """Answer a call of another service. Raises AwsError."""

    async def reset(self) -> None:
        """Forget everything."""


@dataclass(frozen=True, slots=True)
class ContainerAccess:
    """How containers reach the engine: on `network` (Docker's name) at `url` (plain HTTP, the AWS API), with names
    under `dkr.ecr` at `gateway`:443 (TLS by the authority whose certificate is `ca`), and role credentials and task
    metadata at `metadata_url`."""

    network: str
    gateway: str
    url: str
    metadata_url: str
    ca: Path

    @property
    def variables(self) -> dict[str, str]:
        """What AWS clients in a container need: where to go, and not to put prefixes (`data-`) before that host."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}


class Input(dict[str, Any]):
    """The input that an operation reads. A member that it cannot do without and that the model lets be missing is
    refused as AWS does: by the error that the operation has for it (`RepositoryNameRequiredException`), else as a
    violated constraint."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.params)
        self._operation = call.operation

    def __missing__(self, name: str) -> Any:
        own = f"{name[:1].upper()}{name[1:]}RequiredException"
        if own in {shape.name for shape in self._operation.error_shapes}:
            raise AwsError(own, f"{name} is required.")
        raise validation.missing(name, self._operation)


async def carry_out(operation: Operation, ctx: Context, call: Call) -> dict[str, Any]:
    """Run an operation whose input is validated and whose caller may."""
    return await operation.run(ctx, Input(call)) or {}


class Engine:
    """All services of one data folder. `open` and `close` bracket its life; `invoke` is every call."""

    def __init__(
        self,
        config: Config,
        services: Iterable[Service],
        identity: Callable[[Engine], Identity],
        elsewhere: Callable[[Engine], Elsewhere],
        connect: Callable[[Engine], Awaitable[ContainerAccess]],
    ) -> None:
        self.config = config
        self.id = config.id
        self.account = config.account
        self.region = config.region
        self.services = {service.name: service for service in services}
        self.store = Store(config.data / "homeport.db")
        self.store.migrate(self._migrations())
        self.blobs = Blobs(config.data / "blobs")
        self.clock = Clock(config.clock_speed, config.clock_since)
        self.signals = Signals()
        self.failpoints = Failpoints(config.fail_at)
        self.runner = Runner(self.store, self.clock, self.signals, self.failpoints, self.context)
        self.observers: list[Observer] = []
        self.identity = identity(self)
        self.elsewhere = elsewhere(self)
        self._connect = connect
        self._access: asyncio.Task[ContainerAccess] | None = None
        self._loops: dict[str, ReconcileLoop] = {}
        self._parts: dict[Any, Any] = {}
        self._keeping: asyncio.Task[None] | None = None

    def _migrations(self) -> list[tuple[str, Path]]:
        packages = [
            (package.__name__.rpartition(".")[2], Path(package.__path__[0])) for package in (store, durable)
        ]
        packages.append(("elsewhere", Path(__file__).with_name("elsewhere")))
        own = [(name, folder / "migrations") for name, folder in packages]
        return own + sorted({service.migrations for service in self.services.values() if service.migrations})

    async def open(self) -> None:
        """Start the services, go on with the durable work that is there, and reconcile what exists."""
        for service in self.services.values():
            if service.start:
                await service.start(self)
        self.runner.resume(kind for service in self.services.values() for kind in service.executions)
        self._keeping = self._keeping or asyncio.create_task(self.store.keep(), name="store")
        reconcilers = [each for service in self.services.values() for each in service.reconcilers]
        self._loops = {each.name: ReconcileLoop(each, self.clock, self.context) for each in reconcilers}
        for loop in self._loops.values():
            loop.start(self)

    async def close(self) -> None:
        """Release the durable work and close the store. Containers and the load balancer go on."""
        await self._halt()
        for service in self.services.values():
            if service.stop:
                await service.stop(self)
        if "docker" in self.__dict__:
            await self.docker.close()
        await end([self._keeping] if self._keeping else [])
        self.store.close()

    async def _halt(self) -> None:
        await asyncio.gather(*(loop.close() for loop in self._loops.values()), self.runner.close())

    async def reset(self) -> None:
        """Empty the engine: every row, blob and container of it."""
        await self._halt()
        resets = [service.reset(self) for service in self.services.values() if service.reset]
        await asyncio.gather(*resets, self.elsewhere.reset())
        self.store.clear()
        self.blobs.clear()
        await self.open()

    @cached_property
    def docker(self) -> Runtime:
        """Docker, connected on first use."""
        from homeport.engine.containers.runtime import Runtime

        return Runtime(self.id, self.signals.notify)

    @cached_property
    def proxy(self) -> Proxy:
        """The load balancer's data plane; elbv2 starts it when there is a load balancer."""
        from homeport.engine.proxy.proxy import Proxy

        return Proxy(self.config.data / "proxy")

    @cached_property
    def authority(self) -> Authority:
        """The engine's certificate authority."""
        from homeport.engine.wire.authority import Authority

        return Authority(self.config.data / "authority")

    async def container_access(self) -> ContainerAccess:
        """How containers reach this engine; the network and the listeners are made on first use. Raises
        DockerUnavailable, DockerRefused, OSError."""
        if self._access is None or (self._access.done() and self._access.exception()):
            self._access = asyncio.ensure_future(self._connect(self))
            self._access.add_done_callback(lambda _: self.signals.notify(NETWORK_TOPIC))
        access = await asyncio.shield(self._access)
        await self.docker.networks.ensure()
        return access

    def part(self, make: Callable[[Engine], T]) -> T:
        """This engine's only instance of what `make` makes: what a service keeps in memory or in files."""
        if make not in self._parts:
            self._parts[make] = make(self)
        return self._parts[make]

    @property
    def gateway(self) -> str | None:
        """The host's address in the engine's network, once containers need it."""
        done = self._access is not None and self._access.done() and not self._access.cancelled()
        return (
            self._access.result().gateway if done and self._access and not self._access.exception() else None
        )

    def folder(self, name: str) -> Path:
        """A folder of the data folder, for files that a service keeps; made if need be."""
        folder = self.config.data / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_folder(self, name: str) -> None:
        """Empty such a folder."""
        shutil.rmtree(self.config.data / name, ignore_errors=True)

    def now(self) -> float:
        """Seconds since the epoch, by the engine's clock."""
        return self.clock.now()

    def context(self, service: str, scope: Scope) -> Context:
        """A service that acts as itself."""
        name = principal_name(service).removesuffix(".amazonaws.com")
        return Context(self, service, scope, service_principal(name, scope.account), new_id())

    def wake(self, reconciler: str, scope: Scope, key: str) -> None:
        """Have a reconciler look at a key now."""
        if loop := self._loops.get(reconciler):
            loop.wake(scope, key)

    def is_native(self, service: str) -> bool:
        """Whether homeport answers this service itself."""
        return service in self.services

    def find_credential(self, access_key_id: str, token: str | None, service: str) -> Credential:
        """The secret and principal of an access key; with `--auth permissive` any unknown key is the root's, with an
        empty secret, which no signature is checked against."""
        try:
            return self.identity.find_credential(access_key_id, token, service)
        except AwsError:
            if self.config.auth == "permissive":
                return Credential(access_key_id, "", root(self.account, access_key_id))
            raise

    async def invoke(self, call: Call) -> dict[str, Any]:
        """Carry out a call: validate its input, ask IAM, run the operation, tell the observers. Whatever it answers has
        committed. Raises AwsError."""
        try:
            try:
                output = await self._run(call)
            finally:
                await self.store.transactions.committed()
        except AwsError as error:
            self.observe(call, None, error)
            raise
        self.observe(call, output, None)
        return output

    async def _run(self, call: Call) -> dict[str, Any]:
        service = self.services.get(call.service)
        if service is None:
            await self.identity.authorize(call, None)
            return await self.elsewhere.invoke(call)
        operation = service.operations.get(xform_name(call.name))
        if operation is None:
            raise AwsError(
                "NotImplemented",
                f"homeport does not have {call.service}:{call.name} yet; docs/parity.md lists what it has.",
                501,
            )
        validation.validate(call.params, call.operation)
        await self.identity.authorize(call, operation)
        ctx = Context(
            self, call.service, Scope(call.account, call.region), call.principal, call.request_id, call
        )
        if call.token:
            answer: dict[str, Any] = once(
                self.store, call.token, call.identity, lambda: carry_out(operation, ctx, call)
            )
            return answer
        return await carry_out(operation, ctx, call)

    async def invoke_elsewhere(self, request: Request, body: bytes, call: Call) -> Response:
        """Hand on a request for a service that is not homeport's own, once IAM allows it."""
        try:
            await self.identity.authorize(call, None)
            response = await self.elsewhere.answer(request, body, call)
        except AwsError as error:
            self.observe(call, None, error)
            raise
        self.observe(call, {}, None)
        return response

    def observe(self, call: Call, output: dict[str, Any] | None, error: AwsError | None) -> None:
        """Tell the observers of a call, also of one that came otherwise than through `invoke`."""
        for observer in self.observers:
            observer(call, output, error)

    def cross_origin(self, request: Request) -> dict[str, str]:
        """The headers that let a browser show the answer to a page of another origin. Raises AccessForbidden for a
        preflight that is not allowed."""
        headers: dict[str, str] = {}
        for service in self.services.values():
            if service.cross_origin:
                headers |= service.cross_origin(self, request)
        return headers

    def mounts(self) -> dict[str, AsgiApp]:
        """The ASGI applications that services put beside the AWS API."""
        return {
            prefix: factory(self)
            for service in self.services.values()
            for prefix, factory in service.mounts.items()
        }
