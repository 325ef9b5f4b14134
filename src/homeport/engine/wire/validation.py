"""Input constraints of the model (required, length, range, pattern, enum), refused with AWS's sentences."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape

from homeport.engine.wire.errors import AwsError

_UNCHECKED_PATTERNS = {"s3", "s3control"}


def validate(params: dict[str, Any], operation: OperationModel) -> None:
    """Raise ValidationException (ValidationError for Query services) that lists every violated constraint."""
    shape = operation.input_shape
    if shape is None:
        return
    problems: list[str] = []
    service = operation.service_model
    _check(params, shape, "", problems, service.service_name not in _UNCHECKED_PATTERNS)
    if problems:
        raise _refusal(problems, operation)


def missing(name: str, operation: OperationModel) -> AwsError:
    """The refusal of an input without a member that the operation needs though the model does not require it."""
    return _refusal([_NULL.format(_lower(name))], operation)


_NULL = "Value null at '{}' failed to satisfy constraint: Member must not be null"


def _refusal(problems: list[str], operation: OperationModel) -> AwsError:
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    query = operation.service_model.metadata["protocol"] == "query"
    return AwsError("ValidationError" if query else "ValidationException", count + "; ".join(problems), 400)


def _check(value: Any, shape: Shape, path: str, problems: list[str], patterns: bool) -> None:
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return
        for name in shape.required_members:
            if value.get(name) is None:
                at = f"{path}.{_lower(name)}" if path else _lower(name)
                problems.append(_NULL.format(at))
        for name, item in value.items():
            member = shape.members[name]
            if item is not None and not _is_free(member):
                at = f"{path}.{_lower(name)}" if path else _lower(name)
                _check(item, member, at, problems, patterns)
    elif kind == "list":
        _length(value, len(value), shape, path, problems)
        for number, item in enumerate(value, 1):
            _check(item, shape.member, f"{path}.{number}.member", problems, patterns)
    elif kind == "map":
        _length(value, len(value), shape, path, problems)
        for key, item in value.items():
            _check(item, shape.value, f"{path}.{key}.member", problems, patterns)
    elif kind == "string":
        _length(value, len(value), shape, path, problems)
        if shape.enum and value not in shape.enum:
            allowed = f"[{', '.join(shape.enum)}]"
            _fail(value, path, f"Member must satisfy enum value set: {allowed}", problems, shape)
        pattern = shape.metadata.get("pattern")
        if patterns and pattern and not _matches(pattern, value):
            _fail(value, path, f"Member must satisfy regular expression pattern: {pattern}", problems, shape)
    elif kind in ("integer", "long", "float", "double"):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and value < low:
            _fail(value, path, f"Member must have value greater than or equal to {low}", problems, shape)
        if high is not None and value > high:
            _fail(value, path, f"Member must have value less than or equal to {high}", problems, shape)


@cache
def _is_free(shape: Shape) -> bool:
    """Whether every value of the shape will do."""
    constrained = {"min", "max", "pattern", "enum"} & shape.metadata.keys()
    return shape.type_name not in ("structure", "list", "map") and not constrained


def _length(value: Any, size: int, shape: Shape, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        _fail(value, path, f"Member must have length greater than or equal to {low}", problems, shape)
    if high is not None and size > high:
        _fail(value, path, f"Member must have length less than or equal to {high}", problems, shape)


def _fail(value: Any, path: str, constraint: str, problems: list[str], shape: Shape) -> None:
    shown = "***" if shape.metadata.get("sensitive") else str(value)[:256]
    problems.append(f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}")


def _matches(pattern: str, value: str) -> bool:
    compiled = _compile(pattern)
    return compiled is None or compiled.search(value) is not None


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """AWS's patterns are Java's and match whole values; those that Python cannot read are not checked."""
    try:
        return re.compile(rf"\A(?:{pattern})\Z")
    except re.error:
        return None


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
