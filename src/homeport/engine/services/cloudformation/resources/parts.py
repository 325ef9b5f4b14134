"""Parts of a resource that calls of their own set, beside the call that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from homeport.engine.services.cloudformation.resources.calls import Call, select, send
from homeport.engine.services.cloudformation.resources.provider import Request, is_absent, is_present
from homeport.engine.wire.errors import AwsError


class Part(Protocol):
    """A part of a resource, made of the properties `named`. Of properties that change, `own` tells those that
    `updated` sees to."""

    def named(self) -> tuple[str, ...]: ...

    def own(self, changed: set[str]) -> set[str]: ...

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None: ...

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None: ...

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Put:
    """Properties that `call` sets together. After the creation too, unless the creating call takes them
    (`at_creation` False). When all of them are taken away, `unset` is called. Without `properties`: all that the
    parts before do not name."""

    call: Call
    properties: tuple[str, ...] = ()
    unset: Call | None = None
    at_creation: bool = True
    ignore: tuple[str, ...] = ("Tags",)

    def named(self) -> tuple[str, ...]:
        return self.properties

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if not self.at_creation or not any(name in request.properties for name in self.properties):
            return
        try:
            await send(request, service, self.call, names)
        except AwsError as error:  # an earlier process may have got here
            if not (request.resumed and is_present(error)):
                raise

    def own(self, changed: set[str]) -> set[str]:
        return changed & set(self.properties) if self.properties else changed - set(self.ignore)

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        taken_away = self.unset and not any(name in request.properties for name in self.properties)
        await send(request, service, self.unset if taken_away and self.unset else self.call, names)

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Each:
    """A property that is a list whose items are added and removed one by one; expressions may name the `item`, and
    `key` tells one item from another. `clear` removes them before the resource is deleted."""

    property: str
    add: Call
    remove: Call
    key: str = "@"
    at_creation: bool = True
    clear: bool = False

    def named(self) -> tuple[str, ...]:
        return (self.property,)

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if self.at_creation:
            for item in request.properties.get(self.property) or ():
                await send(request, service, self.add, {**names, "item": item})

    def own(self, changed: set[str]) -> set[str]:
        return changed & {self.property}

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        old = self._items(request.previous)
        new = self._items(request.properties)
        for key, item in new.items():
            if old.get(key) != item:
                await send(request, service, self.add, {**names, "item": item})
        for key, item in old.items():
            if key not in new:
                await self._removed(request, service, names, item)

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if self.clear:
            for item in request.properties.get(self.property) or ():
                await self._removed(request, service, names, item)

    async def _removed(self, request: Request, service: str, names: dict[str, Any], item: Any) -> None:
        try:
            await send(request, service, self.remove, {**names, "item": item})
        except AwsError as error:
            if not is_absent(error):
                raise

    def _items(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {str(select(self.key, item)): item for item in properties.get(self.property) or ()}


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags. Expressions may name `added` (new and changed tags, in the property's shape) and `removed` (keys). The
    creating call takes them at the creation, unless `at_creation`."""

    add: Call
    remove: Call
    property: str = "Tags"
    at_creation: bool = False

    def named(self) -> tuple[str, ...]:
        return (self.property,)

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if self.at_creation and request.properties.get(self.property):
            await send(request, service, self.add, {**names, "added": request.properties[self.property]})

    def own(self, changed: set[str]) -> set[str]:
        return changed & {self.property}

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        old, new = _tags(request.previous.get(self.property)), _tags(request.properties.get(self.property))
        added = {key: value for key, value in new.items() if old.get(key) != value}
        removed = [key for key in old if key not in new]
        if added:
            given = [{"Key": key, "Value": value} for key, value in added.items()]
            await send(request, service, self.add, {**names, "added": given})
        if removed:
            await send(request, service, self.remove, {**names, "removed": removed})

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Switch:
    """A property that is true or false: `on` and `off` are called for it; without it the resource is as it is made."""

    property: str
    on: Call
    off: Call
    default: bool = False

    def named(self) -> tuple[str, ...]:
        return (self.property,)

    def own(self, changed: set[str]) -> set[str]:
        return changed & {self.property}

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if self._wanted(request.properties) != self.default:
            await self.updated(request, service, names)

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        await send(request, service, self.on if self._wanted(request.properties) else self.off, names)

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None

    def _wanted(self, properties: dict[str, Any]) -> bool:
        return bool(properties.get(self.property, self.default))


@dataclass(frozen=True, slots=True)
class Noted:
    """Properties that only the creation and the deletion look at: their change needs no call."""

    properties: tuple[str, ...]

    def named(self) -> tuple[str, ...]:
        return self.properties

    def own(self, changed: set[str]) -> set[str]:
        return changed & set(self.properties)

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return value
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value", "")) for tag in value or ()}
