"""The reference of the commands: `python -m homeport.cli.reference` writes docs/commands.md from the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from homeport.cli.main import VERBS, app

FILE = Path(__file__).parents[3] / "docs" / "commands.md"

_HEAD = """# The commands

Generated from the commands by `python -m homeport.cli.reference`; do not edit it. `homeport --install-completion` lets
your shell complete them, `homeport <command> --help` tells the same as this page.
"""
_SHARED = ("target", "profile", "region", "data")
_SHARED_TEXT = """
Commands marked * speak to AWS's API, at home or in your account, and take these options too:

| option | default | what it does |
|---|---|---|
"""


def reference() -> str:
    """The page."""
    root = typer.main.get_command(app)
    context = typer.Context(root, info_name="homeport")
    assert isinstance(root, TyperGroup)
    commands = {name: root.get_command(context, name) for name in VERBS}
    lines = [_HEAD, "| command | what it does |", "|---|---|"]
    for name, command in commands.items():
        assert command is not None
        link = f"[`homeport {name}`](#homeport-{name})"
        lines.append(f"| {link}{' *' if _is_shared(command) else ''} | {_summary(command)} |")
    shared = next(each for each in commands.values() if each is not None and _is_shared(each))
    lines.append(_SHARED_TEXT.rstrip("\n"))
    lines += [_row(each) for each in shared.params if each.name in _SHARED]
    for name, command in commands.items():
        assert command is not None
        lines += _section(f"homeport {name}", command, context)
    return "\n".join(lines) + "\n"


def _section(name: str, command: Any, parent: typer.Context, level: int = 2) -> Iterator[str]:
    context = typer.Context(command, info_name=name.rpartition(" ")[2], parent=parent)
    yield ""
    yield f"{'#' * level} {name}"
    yield ""
    yield _words(command.help or "")
    if isinstance(command, TyperGroup):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _section(f"{name} {inner}", found, context, level + 1)
        return
    hidden = (*_SHARED, "help") if _is_shared(command) else ("help", "install_completion", "show_completion")
    own = [each for each in command.params if each.name not in hidden]
    if own:
        yield ""
        yield "| argument or option | default | what it does |"
        yield "|---|---|---|"
        yield from map(_row, own)


def _row(parameter: Any) -> str:
    default = parameter.default
    shown = "" if default is None or callable(default) or default in ((), []) else f"`{_plain(default)}`"
    if parameter.param_type_name == "argument":
        name = f"`{(parameter.name or '').upper()}`"
        shown = "required" if parameter.required else shown
    else:
        name = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    choices = list(type(default)) if isinstance(default, StrEnum) else []
    allowed = f" One of {', '.join(f'`{_plain(each)}`' for each in choices)}." if choices else ""
    variable = f" Environment: `{parameter.envvar}`." if getattr(parameter, "envvar", None) else ""
    return f"| {name} | {shown} | {_words(parameter.help or '')}{allowed}{variable} |"


def _plain(value: Any) -> str:
    text = str(getattr(value, "value", value))
    return {"True": "yes", "False": "no"}.get(text, text)


def _is_shared(command: Any) -> bool:
    return set(_SHARED) <= {each.name for each in command.params}


def _summary(command: Any) -> str:
    return _words(command.help or "").partition(". ")[0].rstrip(".")


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


if __name__ == "__main__":
    FILE.write_text(reference())
