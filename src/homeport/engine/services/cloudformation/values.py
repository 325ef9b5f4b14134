"""Values of templates: the two that no template can write, and what functions look up.

A value that will only be known when a resource has been made is UNKNOWN (change sets evaluate before that); whatever
is built from it is UNKNOWN too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class _Marker:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


NO_VALUE = _Marker("AWS::NoValue")
"""What `Ref: AWS::NoValue` gives: the property or list item that holds it is removed."""

UNKNOWN = _Marker("known after the change")
"""A value that only the making of a resource will tell."""


def _nothing(*_: Any) -> Any:
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class Environment:
    """What functions look up. `parameters` holds the pseudo parameters too; `conditions` the names' values."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, bool] = field(default_factory=dict)
    reference: Callable[[str], Any] = _nothing
    attribute: Callable[[str, str], Any] = _nothing
    exported: Callable[[str], Any] = _nothing
    zones: Callable[[str], Any] = _nothing


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def contains_unknown(value: Any) -> bool:
    """Whether any part of an evaluated value is UNKNOWN."""
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return value is UNKNOWN
