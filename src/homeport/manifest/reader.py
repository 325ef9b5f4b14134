"""Reads homeport.yml. Whatever is wrong with it is said in sentences: line, key, what was found, what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from homeport.manifest.model import Manifest
from homeport.manifest.patterns import WORDS

FILE = "homeport.yml"
_ALIASES: dict[int | str, str] = {f"{kind}_subnets": f"{kind}-subnets" for kind in ("public", "private")}
"""Fields whose missing value may be wrong: pydantic names them as Python does."""
_YAML_HINTS = {
    r"'\t'": "YAML is indented by blanks, not by tabs",
    "mapping values are not allowed": "put a text with a colon in it in quotes",
}
_KINDS = {
    "dict_type": "a mapping, `key: value` in each line",
    "model_type": "a mapping, `key: value` in each line",
    "list_type": "a list, `- value` in each line",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.key}: {self.message}"
            if self.key
            else f"line {self.line}: {self.message}"
        )


class Invalid(Exception):
    """The manifest cannot be used; `problems` are all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read(path: Path) -> Manifest:
    """The manifest in a file. Raises Invalid, FileNotFoundError."""
    return parse(path.read_text(errors="replace"))


def parse(text: str) -> Manifest:
    """The manifest in a text. Raises Invalid with every problem found."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        hint = next((f": {hint}" for sign, hint in _YAML_HINTS.items() if sign in what), "")
        begun = getattr(error, "context_mark", None)
        if mark and begun and begun.line != mark.line:
            hint += f"; what is wrong may have begun in line {begun.line + 1}"
        raise Invalid(
            [Problem(mark.line + 1 if mark else 1, "", f"this is not YAML: {what}{hint}")]
        ) from None
    except (RecursionError, ValueError) as error:
        raise Invalid([Problem(1, "", f"this is not YAML that can be read: {error}")]) from None
    if not isinstance(value, dict):
        raise Invalid([Problem(1, "", "the file must be a mapping; the shortest is `app: my-app`")])
    problems = list(_doubles(root)) if root else []
    try:
        manifest = Manifest.model_validate(value)
    except ValidationError as error:
        problems += [_problem(detail, root) for detail in error.errors()]
    if problems:
        raise Invalid(sorted(problems, key=lambda each: each.line))
    return manifest


def _doubles(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Keys that are there twice: YAML lets the last one win without a word."""
    if isinstance(node, yaml.SequenceNode):
        for at, each in enumerate(node.value):
            yield from _doubles(each, (*path, str(at)))
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, str(key.value)
        if name in seen:
            yield Problem(line, ".".join((*path, name)), f"this key is there already, in line {seen[name]}")
        seen.setdefault(name, line)
        yield from _doubles(value, (*path, name))


def _problem(detail: ErrorDetails, root: Any) -> Problem:
    path = tuple(_ALIASES.get(part, part) for part in detail["loc"] if part != "[key]")
    return Problem(_line(root, path), ".".join(str(part) for part in path), _message(detail, path))


def _line(node: Any, path: tuple[Any, ...]) -> int:
    """The line of the deepest node on the path that is there."""
    line = node.start_mark.line + 1
    for part in path:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        if found is None:
            return int(line)
        line, node = found[0].start_mark.line + 1, found[1]
    return int(line)


def _message(detail: ErrorDetails, path: tuple[Any, ...]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    found = f"found {_shown(detail['input'])}"
    if kind == "extra_forbidden":
        known = _keys(path[:-1])
        nearest = _nearest(path[-1], known)
        return (
            f"there is no such key; {nearest}{'Allowed' if nearest else 'allowed'} here: {', '.join(known)}"
        )
    if kind == "missing":
        return "this key is required"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return f"{found}; it should be {WORDS.get(pattern, f'like {pattern}')}"
    if kind == "string_type" and isinstance(detail["input"], (bool, int, float)):
        return f"{found}; it should be a text: put it in quotes"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        nearest = _nearest(detail["input"], allowed)
        return f"{found}; {nearest}{'Allowed' if nearest else 'allowed'}: {context['expected']}"
    if kind in _KINDS:
        return f"{found}; it should be {_KINDS[kind]}" + (", or left out" if detail["input"] is None else "")
    text = detail["msg"].replace("Input should be", "it should be").partition(", unable to parse")[0]
    text = text.replace("a valid integer", "a whole number").replace("a valid number", "a number")
    return f"{found}; {text}"


def _shown(value: Any) -> str:
    """A value as one writes it in YAML."""
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else f"{value!r:.80}"


def _nearest(word: Any, known: list[str]) -> str:
    nearest = difflib.get_close_matches(str(word), known, 1)
    return f"did you mean {nearest[0]!r}? " if nearest else ""


def _keys(path: tuple[Any, ...]) -> list[str]:
    """The keys that are allowed under a path of the manifest."""
    model: type[BaseModel] | None = Manifest
    parts = iter(path)
    for part in parts:
        fields = model.model_fields.items() if model else ()
        field = next((field for name, field in fields if part in (name, field.alias)), None)
        if field is None:
            return []
        model = _inner(field.annotation)
        if get_origin(field.annotation) in (dict, list):
            next(parts, None)  # the key of an entry, which is the user's to choose
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model | None`, `dict[str, Model]` and `list[Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _inner(argument))), None)
