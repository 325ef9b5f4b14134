"""What makes, changes and removes the resources of one type.

A provider calls other services by `request.client(service)` only, which acts with the permissions of the stack's
role or of whoever started the operation. Every effect may be repeated after a kill: `request.resumed` says that an
earlier process may have made the resource already.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from homeport.engine.services.cloudformation.changes import replaces
from homeport.engine.services.context import Client, Context
from homeport.engine.wire.errors import AwsError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SUFFIX = 12


class Made(NamedTuple):
    """A resource that is there: what Ref gives, and what Fn::GetAtt gives by name."""

    id: str
    attributes: dict[str, Any]


class HalfMade(Exception):
    """A resource that was made, but not completely: it is to be removed by its id."""

    def __init__(self, id: str, error: AwsError) -> None:
        super().__init__(error.message)
        self.id = id
        self.error = error


class NotUpdatable(AwsError):
    """A change that homeport does not make in place: nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__("NotUpdatable", message)


@dataclass(frozen=True, slots=True)
class Request:
    """One resource to make, change or remove. `properties` are evaluated and fitted to the type's schema;
    `previous` are those before an update. `replaced` is the id of the resource in whose place it is made, `host` is
    where the engine is reached."""

    ctx: Context
    role: str | None
    stack_id: str
    stack_name: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    token: str
    id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    previous: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False
    replaced: str = ""
    host: str = ""

    def client(self, service: str, *, once: bool = False) -> Client:
        """A service's operations, with the permissions of the stack. `once`: a call is carried out once for this
        request, however often it is repeated."""
        return self.ctx.client(service, role=self.role, token=self.token if once else None)

    def name(self, limit: int = 63, *, lower: bool = False, separator: str = "-") -> str:
        """A name for a resource that the template does not name: stack, logical id, and letters that are the same
        in every attempt of this request."""
        digest = hashlib.sha256(self.token.encode()).digest()
        suffix = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:SUFFIX])
        room = limit - SUFFIX - 2 * len(separator)
        stack, id = self.stack_name, self.logical_id
        if len(stack) + len(id) > room:
            id = id[: max(room // 2, room - len(stack))]
            stack = stack[: room - len(id)]
        name = separator.join((stack, id, suffix))
        return name.lower() if lower else name


class ResourceProvider:
    """The provider of one type. The attributes of a type that `grows` change as other resources are made."""

    grows = False

    def __init__(self, type: str) -> None:
        self.type = type

    async def create(self, request: Request) -> Made:
        """Make the resource."""
        raise NotImplementedError

    async def settled(self, request: Request) -> Made | None:
        """The resource once it is of use; None while it is not yet. Asked again and again after a creation or an
        update. Raises AwsError, or HalfMade with the id by which to remove it, when it will never be."""
        return Made(request.id, request.attributes)

    async def update(self, request: Request) -> Made:
        """Change the resource in place."""
        raise NotImplementedError

    async def delete(self, request: Request) -> None:
        """Remove the resource; one that is not there is removed."""
        raise NotImplementedError

    async def gone(self, request: Request) -> bool:
        """Whether a removed resource is really gone."""
        return True

    def patience(self, request: Request) -> float:
        """How many seconds the resource may take to be of use, or to be gone."""
        return 3 * 3600.0

    def overdue(self, request: Request) -> AwsError:
        """What the resource failed of when it took longer."""
        return AwsError(
            "NotStabilized", f"Resource timed out: {request.logical_id} did not stabilize in time"
        )

    def unused(self, properties: dict[str, Any]) -> list[str]:
        """Properties that have no effect here: the resource's event tells of them."""
        return []

    def replaces(self, before: dict[str, Any], after: dict[str, Any]) -> bool:
        """Whether going from one state to the other needs a new resource."""
        return replaces(self.type, before, after)


_ABSENT = (
    "notfound",
    "nosuch",
    "doesnotexist",
    "notexist",
    "nonexistent",
    "missing",
    "unknownresource",
    "notactive",
)


def is_absent(error: AwsError) -> bool:
    """Whether an error says that the resource is not there."""
    code = error.code.replace(".", "").lower()
    if any(word in code for word in _ABSENT) or error.status == 404:
        return True
    message = error.message.lower()
    if code == "clientexception":  # ECS on a task definition that was deregistered or deleted
        return "is inactive" in message or "unable to describe" in message
    return code in ("validationerror", "validationexception") and "does not exist" in message


def is_denied(error: AwsError) -> bool:
    """Whether an error says that the caller may not do this."""
    code = error.code.lower()
    return error.status == 403 or "accessdenied" in code or "unauthorized" in code or "notauthorized" in code


def is_present(error: AwsError) -> bool:
    """Whether an error says that a resource of this name is there already."""
    code = error.code.replace(".", "").lower()
    exists = "exists" in code and "notexist" not in code
    return exists or any(
        word in code
        for word in (
            "alreadyowned",
            "alreadyassociated",
            "duplicate",
            "nameinuse",
            "resourceinuse",
            "resourceconflict",
        )
    )
