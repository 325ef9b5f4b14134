"""A resource type told by data: which operation makes it, which change it, which removes it, how it is read.

`Type` carries that out. The registry's schema says which properties replace the resource and which attributes
Fn::GetAtt has; botocore's model says how properties become members (see `calls`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, select, send, variables
from homeport.engine.services.cloudformation.resources.parts import Part
from homeport.engine.services.cloudformation.resources.provider import (
    HalfMade,
    Made,
    NotUpdatable,
    Request,
    ResourceProvider,
    is_absent,
    is_denied,
    is_present,
)
from homeport.engine.services.cloudformation.schemas import schema_of
from homeport.engine.wire import model
from homeport.engine.wire.errors import AwsError


class Type(ResourceProvider):
    """A type made by `create`, whose Ref is the expression `id` (over the create call's `response`, `properties` and
    `name`). `named` is the property that is given a generated name when it is absent: its limit is `limit`.

    Where the operation that makes it takes up one that is there already, `present` asks for that one, and `present_if`
    says over its `response` whether it is there: a stack must not take, and later delete, what others made.

    `read` answers the resource's description at the expression `found`, from which attributes are taken:
    `attributes` says how where the name alone does not. `ready` and `failed` are expressions over the description: it
    is of use once `ready` is true, and never when `failed` gives a reason. `find` and `found_ids` find a resource that
    an earlier process made without recording it.
    """

    def __init__(
        self,
        type: str,
        service: str,
        *,
        create: Call,
        id: str,
        named: str = "",
        limit: int = 63,
        lower: bool = False,
        read: Call | None = None,
        found: str = "@",
        attributes: Mapping[str, str] | None = None,
        ready: str = "",
        failed: str = "",
        parts: tuple[Part, ...] = (),
        delete: Call | None = None,
        before_delete: tuple[Call, ...] = (),
        find: Call | None = None,
        found_ids: str = "",
        present: Call | None = None,
        present_if: str = "",
        deleted: str = "",
    ) -> None:
        super().__init__(type)
        self._service = service
        self._create = create
        self._id = id
        self._named = named
        self._limit = limit
        self._lower = lower
        self._read = read
        self._found = found
        self._attributes = attributes or {}
        self._ready = ready
        self._failed = failed
        self._parts = parts
        self._delete = delete
        self._before_delete = before_delete
        self._find = find
        self._found_ids = found_ids
        self._present = present
        self._present_if = present_if
        self._deleted = deleted

    async def create(self, request: Request) -> Made:
        name, properties = self._name(request)
        names = variables(request, name=name, properties=properties)
        id = await self._found_earlier(request, names)
        if id is None:
            await self._check_absent(request, names)
            id = await self._made(request, names)
        names["id"] = id
        try:
            for part in self._parts:
                await part.created(request, self._service, names)
        except AwsError as error:
            raise HalfMade(id, error) from None
        return Made(id, {})

    async def settled(self, request: Request) -> Made | None:
        description = await self._describe(request, variables(request))
        if self._failed and (reason := select(self._failed, description)):
            raise AwsError("NotStabilized", str(reason))
        if self._ready and not select(self._ready, description):
            return None
        return Made(request.id, self._attributes_of(request, description))

    async def update(self, request: Request) -> Made:
        names = variables(request)
        changed = {
            name
            for name in {*request.properties, *request.previous}
            if request.properties.get(name) != request.previous.get(name)
        }
        parts = []
        for part in self._parts:
            if own := part.own(changed):
                changed -= own
                parts.append(part)
        if changed:
            raise NotUpdatable(
                f"homeport does not change {', '.join(sorted(changed))} of {self.type} in place."
            )
        for part in parts:
            await part.updated(request, self._service, names)
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        names = variables(request)
        for part in reversed(self._parts):
            await part.deleting(request, self._service, names)
        for call in (*self._before_delete, *((self._delete,) if self._delete else ())):
            try:
                await send(request, self._service, call, names)
            except AwsError as error:
                if not is_absent(error):
                    raise

    async def gone(self, request: Request) -> bool:
        if not self._deleted:
            return True
        try:
            description = await self._describe(request, variables(request))
        except AwsError as error:
            if is_absent(error):
                return True
            raise
        return description is None or bool(select(self._deleted, description))

    def unused(self, properties: dict[str, Any]) -> list[str]:
        call = self._create
        shape = model.operations(call.service or self._service)[call.operation].input_shape
        taken = set(shape.members) if shape and not call.only else set()
        deletion = self._delete.members.values() if self._delete else ()
        expressions = " ".join([*call.members.values(), *deletion, self._id])
        if re.search(r"\bproperties(?!\.)", expressions):
            return []  # the call takes them as a whole
        taken |= set(re.findall(r"\bproperties\.(\w+)", expressions))
        taken |= {name for part in self._parts for name in part.named()}
        lowered = {self._named.lower(), *(name.lower() for name in taken)}
        return sorted(name for name in properties if name.lower() not in lowered)

    def _name(self, request: Request) -> tuple[str, dict[str, Any]]:
        if not self._named:
            return "", request.properties
        name = request.properties.get(self._named) or request.name(self._limit, lower=self._lower)
        return name, {**request.properties, self._named: name}

    async def _made(self, request: Request, names: dict[str, Any]) -> str:
        try:
            response = await send(request, self._service, self._create, names)
        except AwsError as error:
            if not (request.resumed and is_present(error)):
                raise
            response = {}
        id = select(self._id, {**names, "response": response})
        if not id:
            raise self._exists(names)
        return str(id)

    async def _check_absent(self, request: Request, names: dict[str, Any]) -> None:
        """Raise AlreadyExists when the resource is there. Who may not look makes it nevertheless, as before."""
        given = not self._named or self._named in request.properties
        if request.resumed or self._present is None or not given:
            return
        try:
            answer = await send(request, self._service, self._present, names)
        except AwsError as error:
            if is_absent(error) or is_denied(error):
                return
            raise
        if not self._present_if or select(self._present_if, {**names, "response": answer}):
            raise self._exists(names)

    def _exists(self, names: dict[str, Any]) -> AwsError:
        id = names["name"] or select(self._id, names)
        return AwsError(
            "AlreadyExists", f"Resource of type '{self.type}' with identifier '{id}' already exists."
        )

    async def _found_earlier(self, request: Request, names: dict[str, Any]) -> str | None:
        if not request.resumed or self._find is None:
            return None
        try:
            answer = await send(request, self._service, self._find, names)
        except AwsError as error:
            if is_absent(error):
                return None
            raise
        ids = select(self._found_ids, {**names, "response": answer}) or []
        return next((str(id) for id in ids if id != request.replaced), None)

    async def _describe(self, request: Request, names: dict[str, Any]) -> Any:
        if self._read is None:
            return {}
        answer = await send(request, self._service, self._read, names)
        return select(self._found, answer)

    def _attributes_of(self, request: Request, description: Any) -> dict[str, Any]:
        schema = schema_of(self.type)
        names = {**variables(request), "read": description}
        found: dict[str, Any] = {}
        for attribute in schema.attributes if schema else ():
            value = _by_name(description, attribute)
            if value is not None:
                found[attribute] = _plain(value)
        for attribute, expression in self._attributes.items():
            value = select(expression, names)
            if value is not None:
                found[attribute] = _plain(value)
        return found


def _by_name(description: Any, attribute: str) -> Any:
    """The member of a description that an attribute's name means, whatever its case."""
    for part in attribute.split("."):
        if not isinstance(description, dict):
            return None
        members = {key.lower(): value for key, value in description.items()}
        description = members.get(part.lower())
    return description


def _plain(value: Any) -> Any:
    """An attribute as a row holds it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
