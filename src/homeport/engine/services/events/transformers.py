"""What a target gets of an event: Input, InputPath or InputTransformer.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[\*\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_VARIABLE = re.compile(r"<([\w.\-]+)>")
_MISSING = object()


class InvalidTransformer(ValueError):
    """A path or a template cannot be used; the text says which."""


def target_input(target: Mapping[str, Any], event: dict[str, Any], rule_arn: str, ingested: str) -> str:
    """The text that the target gets: the event as JSON, or what the target's settings make of it."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        value = select(target["InputPath"], event)
        return "" if value is _MISSING else _dump(value)
    if "InputTransformer" in target:
        return _transform(target["InputTransformer"], event, rule_arn, ingested)
    return _dump(event)


def check(target: Mapping[str, Any]) -> None:
    """Raise InvalidTransformer when the target's settings could never be used."""
    if sum(name in target for name in ("Input", "InputPath", "InputTransformer")) > 1:
        raise InvalidTransformer("Only one of Input, InputPath, or InputTransformer must be provided")
    if "InputPath" in target:
        _steps(target["InputPath"])
    if transformer := target.get("InputTransformer"):
        paths = transformer.get("InputPathsMap", {})
        for path in paths.values():
            _steps(path)
        for name in _VARIABLE.findall(transformer["InputTemplate"]):
            if name not in paths and not name.startswith("aws.events."):
                raise InvalidTransformer(
                    f"InputTemplate for target {target.get('Id', '')} contains invalid placeholder {name}."
                )


def select(path: str, event: Any) -> Any:
    """The value that a JSON path leads to, a private mark when there is none."""
    value = event
    for step in _steps(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else _MISSING
        elif step is not None:
            value = value[step] if isinstance(value, dict) and step in value else _MISSING
        elif not isinstance(value, list):
            value = _MISSING
        if value is _MISSING:
            break
    return value


def _steps(path: str) -> list[str | int | None]:
    """The names and indices of a path; None stands for `[*]`."""
    if not path.startswith("$"):
        raise InvalidTransformer(f"Invalid JSON path {path}: it starts with $")
    steps: list[str | int | None] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise InvalidTransformer(f"Invalid JSON path {path} at character {position + 1}")
        name = next((group for group in (match[1], match[3], match[4]) if group is not None), None)
        steps.append(int(match[2]) if match[2] is not None else name)
        position = match.end()
    return steps


def _transform(transformer: Mapping[str, Any], event: dict[str, Any], rule_arn: str, ingested: str) -> str:
    template: str = transformer["InputTemplate"]
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": ingested,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    for name, path in transformer.get("InputPathsMap", {}).items():
        values[name] = select(path, event)
    is_json = template.lstrip()[:1] in ("{", "[")

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1], _MISSING)
        quoted = _inside_string(template, match.start())
        if value is _MISSING:
            return "" if quoted or not is_json else '""'
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)[1:-1] if quoted else _bare(value, is_json)
        return json.dumps(_dump(value), ensure_ascii=False)[1:-1] if quoted else _dump(value)

    return _VARIABLE.sub(fill, template)


def _bare(value: str, is_json: bool) -> str:
    return json.dumps(value, ensure_ascii=False) if is_json else value


def _inside_string(template: str, position: int) -> bool:
    """Whether the place is inside a JSON string of the template."""
    inside, at = False, 0
    while at < position:
        if template[at] == "\\":
            at += 1
        elif template[at] == '"':
            inside = not inside
        at += 1
    return inside


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
