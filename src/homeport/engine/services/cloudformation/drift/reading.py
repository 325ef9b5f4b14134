"""How the properties of a type are read back from its service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeport.engine.services.cloudformation.drift.comparison import member_of, shaped
from homeport.engine.services.cloudformation.resources.calls import Call, select, send, variables
from homeport.engine.services.cloudformation.resources.provider import Request, is_absent
from homeport.engine.wire.errors import AwsError


@dataclass(frozen=True, slots=True)
class Reading:
    """`read` answers the resource's description at the expression `found`; `properties` are its members of the same
    name, those of `members` JMESPath expressions over the variables of a request, `read` (the description) and the
    answers of `further` calls, by name. Of the lists `partial` only the template's items are compared: the service
    lists defaults, too."""

    service: str
    read: Call
    found: str
    properties: tuple[str, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    further: Mapping[str, Call] = field(default_factory=dict)
    partial: tuple[str, ...] = ()


async def read_properties(reading: Reading, request: Request) -> dict[str, Any] | None:
    """Of the properties that a resource has by its template, those that can be read, as they are and in the template's
    shape (None for one that is not there); None when the resource is gone. Raises AwsError."""
    names = variables(request)
    try:
        answer = await send(request, reading.service, reading.read, names)
    except AwsError as error:
        if is_absent(error):
            return None
        raise
    description = select(reading.found, {**names, **answer})
    if not description:
        return None
    names["read"] = description
    for name, call in reading.further.items():
        names[name] = await _answered(request, reading.service, call, names)
    found: dict[str, Any] = {}
    for name, expected in request.properties.items():
        if name in reading.members:
            value = select(reading.members[name], names)
        elif name in reading.properties:
            value = member_of(description, name)
        else:
            continue
        fitted = shaped(value, expected)
        if name in reading.partial and isinstance(fitted, list):
            fitted = fitted[: len(expected)]
        found[name] = fitted
    return found


async def _answered(request: Request, service: str, call: Call, names: dict[str, Any]) -> dict[str, Any]:
    """A further call's answer, nothing where there is nothing."""
    try:
        return await send(request, service, call, names)
    except AwsError as error:
        if is_absent(error):
            return {}
        raise
