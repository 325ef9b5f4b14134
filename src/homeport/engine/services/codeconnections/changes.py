"""What happens in a repository behind a connection, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from homeport.engine.services.context import Context
    from homeport.engine.services.engine import Engine


@dataclass(frozen=True, slots=True)
class Push:
    """A pushed branch head, with the paths that its commits changed, or a pushed tag."""

    branch: str | None = None
    tag: str | None = None
    paths: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Something happened to a pull request: AWS tells opened, updated and closed (merged too) apart."""

    event: Literal["OPEN", "UPDATED", "CLOSED"]
    branch: str
    """The branch that the request wants to merge into."""
    paths: tuple[str, ...] = field(default=())


GitEvent = Push | PullRequest


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened in a repository: `reference` moved from `before` to `commit`. The paths of the
    event are None when the payload does not tell all of them."""

    repository: str
    event: GitEvent
    commit: str
    reference: str
    before: str
    paths_known: bool = True
    message: str = ""


Listener = Callable[["Context", str, Change], list[str]]
"""Called with the connection's id and the change, inside the transaction that records it; returns the ids of the
executions that it started."""


class Listeners:
    """Who is told of changes: services add themselves when the engine starts."""

    def __init__(self, engine: Engine) -> None:
        self._listeners: dict[str, Listener] = {}

    def add(self, service: str, listener: Listener) -> None:
        """Tell this service from now on."""
        self._listeners[service] = listener

    def tell(self, ctx: Context, connection_id: str, change: Change) -> list[str]:
        """Tell everyone; returns what they started."""
        told = [listener(ctx, connection_id, change) for listener in self._listeners.values()]
        return [id for started in told for id in started]
