"""Calls of other services, built from a resource's properties and botocore's model.

A type's properties mostly are the members of the operation that makes it, in another case, with tags in another
shape and policies as objects: `build` sees to that. What differs is said by JMESPath expressions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.model import Shape
from jmespath import functions

from homeport.engine.services.cloudformation.resources.provider import Request
from homeport.engine.wire import model
from homeport.engine.wire.errors import AwsError


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of a type's service, or of `service`. `members` maps its input's members to JMESPath expressions
    over `variables`; all other members are the properties of the same name, unless `only`. With `once` it is carried
    out once for a request, however often that is repeated: for operations that do not wait, and whose repetition would
    make a second thing or fail."""

    operation: str
    members: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    only: bool = False
    once: bool = False


def variables(request: Request, **more: Any) -> dict[str, Any]:
    """What expressions may name."""
    return {
        "id": request.id,
        "properties": request.properties,
        "previous": request.previous,
        "attributes": request.attributes,
        "token": request.token,
        "account": request.ctx.account,
        "region": request.ctx.region,
        "stack_id": request.stack_id,
        "stack_name": request.stack_name,
        "logical_id": request.logical_id,
        **more,
    }


class _Functions(functions.Functions):  # type: ignore[misc]
    """JMESPath's functions, `split(text, separator)`, and `where(objects, member, value)`: the objects whose member has
    that value, which, unlike in a filter, may lie outside of the list."""

    @functions.signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator)

    @functions.signature({"types": ["array", "null"]}, {"types": ["string"]}, {"types": []})  # type: ignore[untyped-decorator]
    def _func_where(self, objects: list[Any] | None, member: str, value: Any) -> list[Any]:
        return [each for each in objects or () if str(each.get(member)) == str(value)]


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def select(expression: str, names: Any) -> Any:
    """The value of an expression."""
    return jmespath.search(expression, names, _OPTIONS)


async def send(request: Request, service: str, call: Call, names: Mapping[str, Any]) -> dict[str, Any]:
    """Make a call with the permissions of the stack. Raises AwsError."""
    service = call.service or service
    parameters = build(service, call, names)
    client = request.client(service, once=call.once)
    answer: dict[str, Any] = await getattr(client, call.operation)(**parameters)
    if answer.get("FailedEntryCount"):
        entry = answer["FailedEntries"][0]
        raise AwsError(
            entry.get("ErrorCode", "InternalFailure"), entry.get("ErrorMessage", "an entry failed")
        )
    return answer


def build(service: str, call: Call, names: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a call."""
    shape = model.operations(service)[call.operation].input_shape
    if shape is None:
        return {}
    properties = {} if call.only else {key.lower(): value for key, value in names["properties"].items()}
    parameters: dict[str, Any] = {}
    for member, member_shape in shape.members.items():
        expression = call.members.get(member)
        value = select(expression, names) if expression else properties.get(member.lower())
        if value is not None:
            parameters[member] = fit(value, member_shape)
    return parameters


def fit(value: Any, shape: Shape) -> Any:
    """A property's value as a member of this shape."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not shape.is_document_type:
        given = {key.lower(): item for key, item in value.items()}
        return {
            name: fit(given[name.lower()], member)
            for name, member in shape.members.items()
            if given.get(name.lower()) is not None
        }
    if kind == "list":
        return [fit(item, shape.member) for item in _as_list(value)]
    if kind == "map":
        return {str(key): fit(item, shape.value) for key, item in _as_map(value).items() if item is not None}
    return _fit_scalar(value, kind)


def _fit_scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        if isinstance(value, dict | list):
            return json.dumps(value)
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value.lower() == "true" if isinstance(value, str) else bool(value)
    if kind == "blob":
        return value.encode() if isinstance(value, str) else value
    return value


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, dict):  # tags as an object, where the operation wants a list
        return [{"Key": key, "Value": item} for key, item in value.items()]
    return value if isinstance(value, list) else [value]


def _as_map(value: Any) -> dict[str, Any]:
    if isinstance(value, list):  # tags as a list, where the operation wants an object
        pairs = [{key.lower(): part for key, part in item.items()} for item in value]
        return {str(pair.get("key") or pair.get("name")): pair.get("value", "") for pair in pairs}
    return dict(value)
