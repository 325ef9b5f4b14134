"""What an operation, an execution or a reconciler acts with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any

import orjson

from homeport.engine.durable.clock import Clock
from homeport.engine.durable.execution import ExecutionKind
from homeport.engine.store.blobs import Blobs
from homeport.engine.store.database import Scope, Store
from homeport.engine.wire import model
from homeport.engine.wire.call import Call, new_id
from homeport.engine.wire.principal import Principal
from homeport.engine.wire.principal import service as service_principal

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

_PRINCIPAL_NAMES = {"ecs": "ecs", "ecs-tasks": "ecs-tasks", "elbv2": "elasticloadbalancing"}
OUTBOX_TOPIC = "engine.outbox"


@dataclass(frozen=True, slots=True)
class Context:
    """One service at work in one scope, for one principal. `call` is the call that is being carried out; None in
    executions and reconcilers, where the service acts as itself."""

    engine: Engine
    service: str
    scope: Scope
    principal: Principal
    request_id: str
    call: Call | None = None
    assumes_as: str | None = None
    """The service whose principal assumes roles, when it is not this one: a build of CodePipeline's own."""
    source_arn: str | None = None
    """The resource on whose account the service acts as itself: a rule, a topic, an alarm (`aws:SourceArn`)."""

    @property
    def store(self) -> Store:
        return self.engine.store

    @property
    def blobs(self) -> Blobs:
        return self.engine.blobs

    @property
    def clock(self) -> Clock:
        return self.engine.clock

    @property
    def account(self) -> str:
        return self.scope.account

    @property
    def region(self) -> str:
        return self.scope.region

    def now(self) -> float:
        """Seconds since the epoch, by the engine's clock."""
        return self.engine.clock.now()

    def arn(
        self, resource: str, service: str | None = None, region: str | None = None, account: str | None = None
    ) -> str:
        """`arn:aws:<service>:<region>:<account>:<resource>`; pass `region=""` for global services."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:aws:{service or self.service}:{region}:{account}:{resource}"

    def within(self, scope: Scope) -> Context:
        """The same in another account or region; `Scope(account, "aws-global")` for global services."""
        return replace(self, scope=scope)

    def on_account_of(self, arn: str) -> Context:
        """The same service, acting on account of a resource; policies that admit services ask for it."""
        return replace(self, source_arn=arn)

    def client(
        self,
        service: str,
        role: str | None = None,
        as_service: bool = False,
        region: str | None = None,
        through: str | None = None,
        token: str | None = None,
    ) -> Client:
        """Another service's operations: `await ctx.client("ecs").describe_services(cluster=…)`.

        They act as this context's principal; as `role` (an ARN) when one is given, which this service assumes, so
        that its trust policy must allow it; or as the service itself with `as_service`, as AWS's service-linked
        roles do, for which IAM is not asked; Lambda functions alone have to admit services. `through` is the role
        that the service is in when it assumes `role`: that role must then be allowed to, and be trusted.
        Calls with the `token` of a durable step are carried out once for it; their operations must not wait.
        """
        return Client(self, service, role, as_service, region or self.region, through, token)

    def start(self, kind: ExecutionKind, id: str, input: Any) -> None:
        """Accept durable work; call it in the transaction that writes the visible row."""
        self.engine.runner.start(kind, self.scope, id, input)

    def request_stop(self, kind: ExecutionKind, id: str, reason: str) -> bool:
        """Ask durable work to stop; False when none of this id runs."""
        return self.engine.runner.request_stop(kind, self.scope, id, reason)

    def wake(self, reconciler: str, key: str) -> None:
        """Have a reconciler look at a key once the running transaction has committed."""
        self.store.after_commit(lambda: self.engine.wake(reconciler, self.scope, key))

    def notify(self, topic: str) -> None:
        """Wake whoever waits for a topic once the running transaction has committed."""
        self.store.after_commit(lambda: self.engine.signals.notify(topic))

    def emit(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Send an event to EventBridge's default bus, in the same transaction as the rows it tells of: it waits in
        the outbox (table `engine_outbox`) until the events service takes it."""
        entry = {
            "version": "0",
            "id": new_id(),
            "detail-type": detail_type,
            "source": source,
            "account": self.account,
            "time": iso(self.now()),
            "region": self.region,
            "resources": resources,
            "detail": detail,
        }
        self.store.execute(
            "INSERT INTO engine_outbox (account, region, entry) VALUES (?, ?, ?)",
            *self.scope,
            orjson.dumps(entry).decode(),
        )
        self.notify(OUTBOX_TOPIC)


class Client:
    """In-process calls of one service: the same validation, authorization and errors (AwsError) as over HTTP."""

    def __init__(
        self,
        ctx: Context,
        service: str,
        role: str | None,
        as_service: bool,
        region: str,
        through: str | None = None,
        token: str | None = None,
    ) -> None:
        self._ctx = ctx
        self._service = service
        self._role = role
        self._as_service = as_service
        self._region = region
        self._through = through
        self._token = token

    def __getattr__(self, name: str) -> Callable[..., Awaitable[dict[str, Any]]]:
        operation = model.operations(self._service).get(name)
        if operation is None:
            raise AttributeError(f"{self._service} has no operation {name!r}")

        async def call(**params: Any) -> dict[str, Any]:
            ctx = self._ctx
            return await ctx.engine.invoke(
                Call(
                    service=self._service,
                    operation=operation,
                    params={key: value for key, value in params.items() if value is not None},
                    principal=self._principal(),
                    account=ctx.account,
                    region=self._region,
                    request_id=new_id(),
                    source_ip=ctx.call.source_ip if ctx.call else f"{ctx.service}.amazonaws.com",
                    user_agent=f"{ctx.service}.amazonaws.com",
                    secure=True,
                    invoked_by=principal_name(ctx.service),
                    source_arn=ctx.source_arn if self._as_service else None,
                    token=self._token,
                )
            )

        return call

    def _principal(self) -> Principal:
        ctx = self._ctx
        if self._role:
            session = f"{ctx.service}-{ctx.request_id[:8]}"
            service = principal_name(ctx.assumes_as or ctx.service)
            return ctx.engine.identity.assume_for_service(self._role, service, session, self._through)
        if self._as_service:
            return service_principal(principal_name(ctx.service).removesuffix(".amazonaws.com"), ctx.account)
        return ctx.principal


def iso(moment: float) -> str:
    """A time as events tell it."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(moment))


def principal_name(service: str) -> str:
    """The service principal of a service: `ecs.amazonaws.com`."""
    return f"{_PRINCIPAL_NAMES.get(service, service)}.amazonaws.com"
