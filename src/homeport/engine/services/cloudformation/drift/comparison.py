"""What is different between two documents of properties.

A service's answer has other cases than a template's property, members that the template does not name, and lists in
other orders: `shaped` brings it to what can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

_BLANK: tuple[Any, ...] = (None, "", False, [], {})


class Difference(NamedTuple):
    """One difference; a value that is not there is None. `kind` is ADD, REMOVE or NOT_EQUAL."""

    path: str
    expected: Any
    actual: Any

    @property
    def kind(self) -> str:
        if self.expected is None:
            return "ADD"
        return "REMOVE" if self.actual is None else "NOT_EQUAL"


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[Difference]:
    """The differences of a shaped value from the expected one."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in {**expected, **actual}:
            yield from differences(expected.get(key), actual.get(key), f"{path}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        for at in range(max(len(expected), len(actual))):
            yield from differences(_item(expected, at), _item(actual, at), f"{path}/{at}")
    elif expected != actual and not (expected in _BLANK and actual in _BLANK):
        yield Difference(path, expected, actual)


def _item(values: list[Any], at: int) -> Any:
    return values[at] if at < len(values) else None


def shaped(actual: Any, expected: Any) -> Any:
    """A service's value in the shape of the template's: members by the template's names and those alone, lists in the
    template's order with what is more behind it, numbers and booleans as the template has them."""
    if isinstance(expected, dict):
        return _shaped_object(actual, expected)
    if isinstance(expected, list):
        return _shaped_list(actual, expected)
    if actual is None or isinstance(actual, dict | list):
        return actual
    if isinstance(expected, bool):
        return str(actual).lower() == "true"
    text = ("true" if actual else "false") if isinstance(actual, bool) else str(actual)
    if isinstance(expected, str):
        return expected if _is_named(expected, text) or _same_document(expected, text) else text
    try:
        return type(expected)(float(text))
    except ValueError:
        return actual


def _shaped_object(actual: Any, expected: dict[str, Any]) -> Any:
    if isinstance(actual, str):
        return _document(actual) or actual
    if isinstance(actual, list):  # tags, which the template has as an object
        actual = {tag.get("Key") or tag.get("key"): tag.get("Value", tag.get("value")) for tag in actual}
    if not isinstance(actual, dict):
        return actual
    found = {key: member_of(actual, key) for key in expected}
    return {key: shaped(value, expected[key]) for key, value in found.items() if value is not None}


def member_of(document: dict[str, Any], name: str) -> Any:
    """The member of this name, else the one that has it in other cases."""
    if name in document:
        return document[name]
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)


def _shaped_list(actual: Any, expected: list[Any]) -> Any:
    if isinstance(actual, dict):  # tags, which the service has as an object
        actual = [{"Key": key, "Value": value} for key, value in actual.items()]
    if not isinstance(actual, list):
        return actual
    left = [item for item in actual if not _is_system_tag(item)]
    placed: list[Any] = [None] * len(expected)
    for at, item in enumerate(expected):
        for number, candidate in enumerate(left):
            fitted = shaped(candidate, item)
            if not any(differences(item, fitted)):
                placed[at] = fitted
                del left[number]
                break
    for at, item in enumerate(expected):
        if placed[at] is None and left:
            placed[at] = shaped(left.pop(0), item)
    while placed and placed[-1] is None:
        placed.pop()
    return placed + left


def _is_system_tag(item: Any) -> bool:
    return isinstance(item, dict) and str(item.get("Key") or item.get("key") or "").startswith("aws:")


def _is_named(expected: str, actual: str) -> bool:
    """Whether an ARN is that of what a template names without it."""
    return actual.startswith("arn:") and actual.endswith((f"/{expected}", f":{expected}"))


def _same_document(expected: str, actual: str) -> bool:
    document = _document(expected)
    return document is not None and document == _document(actual)


def _document(text: str) -> Any:
    """An object in JSON, which IAM has with percent signs; None for any other text."""
    try:
        value = json.loads(unquote(text) if text.startswith("%7B") else text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
