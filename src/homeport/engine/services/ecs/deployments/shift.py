"""One service deployment that shifts traffic, while it runs: its rows.

The row of the service deployment has it under `shift`: `stage` and `since` when; `production` and `test`, the
percentages of traffic that the new revision has; `pairs` of target groups; the `hooks` of the stage; the `source`
that a rollback goes back to; and the `failure`, once there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeport.engine.durable.execution import Execution
from homeport.engine.services.ecs.deployments.listener_rules import Pair
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS, SERVICE_DEPLOYMENTS, SERVICES
from homeport.engine.services.ecs.task_rows import SERVICE, Body


def topic(cluster: str, service: str) -> str:
    """The topic that is notified when something happened that a running deployment waits for."""
    return f"ecs.shift:{cluster}/{service}"


def first(source: Body | None) -> Body:
    """What the row of a service deployment begins with. `source` is the deployment that serves until then."""
    return {
        "stage": "PRE_SCALE_UP",
        "since": 0.0,
        "production": 0.0,
        "test": 0.0,
        "pairs": [],
        "hooks": [],
        "source": {"deployment": source["id"], "revision": source["revision"]} if source else None,
        "failure": None,
    }


class Shift:
    """The rows of one deployment, read anew each time. `x.input` names it."""

    def __init__(self, x: Execution) -> None:
        self.x = x
        self.ctx = x.ctx
        self.cluster: str = x.input["cluster"]
        self.name: str = x.input["service"]
        self.number: int = x.input["number"]
        self.topic = topic(self.cluster, self.name)

    @property
    def row(self) -> Body:
        """The service deployment."""
        found = SERVICE_DEPLOYMENTS.get(self.ctx, self.cluster, self.name, self.number)
        assert found is not None
        return found

    @property
    def state(self) -> Body:
        """How far it is."""
        found: Body = self.row["shift"]
        return found

    @property
    def service(self) -> Body:
        found = SERVICES.get(self.ctx, self.cluster, self.name)
        assert found is not None
        return found

    @property
    def configuration(self) -> Body:
        """The deployment configuration that it began with."""
        found: Body = self.row["shown"]["deploymentConfiguration"]
        return found

    @property
    def pairs(self) -> list[Pair]:
        return [Pair(*each) for each in self.state["pairs"]]

    def revision(self, id: str) -> Body:
        found = REVISIONS.get(self.ctx, self.cluster, self.name, id)
        assert found is not None
        return found

    @property
    def green(self) -> Body:
        """The deployment of the new revision."""
        return self.deployment_of(self.x.input["deployment"])

    def deployment_of(self, id: str) -> Body:
        """The deployment with this id."""
        return next(each for each in DEPLOYMENTS.list(self.ctx, self.cluster, self.name) if each["id"] == id)

    @property
    def others(self) -> list[Body]:
        """The deployments beside the new one that have tasks or had them lately."""
        rows = DEPLOYMENTS.list(self.ctx, self.cluster, self.name)
        id = self.x.input["deployment"]
        return [each for each in rows if each["status"] != "INACTIVE" and each["id"] != id]

    def note(self, **members: Any) -> None:
        """Write members of the state."""
        with self.ctx.store.transaction():
            row = self.row
            row["shift"] |= members
            row["shown"]["updatedAt"] = self.ctx.now()
            SERVICE_DEPLOYMENTS.put(self.ctx, row)

    def scale(self, deployment: Body, percent: float) -> None:
        """How many tasks a deployment has from now on, in percent of what the service wants."""
        with self.ctx.store.transaction():
            DEPLOYMENTS.put(self.ctx, self.deployment_of(deployment["id"]) | {"scale": percent})
            self.ctx.wake(SERVICE, f"{self.cluster}/{self.name}")

    def mark_up(self) -> None:
        """The new revision has all its tasks: from now on one that fails is replaced before it is stopped."""
        with self.ctx.store.transaction():
            DEPLOYMENTS.put(self.ctx, self.green | {"up": True})

    def change_service(self, apply: Callable[[Body], None]) -> None:
        """Change the service's row."""
        with self.ctx.store.transaction():
            service = self.service
            apply(service)
            SERVICES.put(self.ctx, service)
            self.ctx.wake(SERVICE, f"{self.cluster}/{self.name}")
