"""The project that a command is run in: its homeport.yml and the template that comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from homeport.cli.target import CannotReach
from homeport.manifest.model import Manifest
from homeport.manifest.reader import FILE, Invalid, read
from homeport.stack.template import BadOverride, render, synthesize

FileOption = Annotated[Path, typer.Option("--file", "-f", help="The manifest.")]
DEFAULT = Path(FILE)


def load(file: Path) -> Manifest:
    """The manifest. Ends the command with sentences when there is none, or it is wrong."""
    try:
        return read(file)
    except FileNotFoundError:
        raise CannotReach(f"There is no {file} here. Write one:  homeport init") from None
    except OSError as error:
        raise CannotReach(f"{file} cannot be read: {error.strerror}") from None
    except Invalid as error:
        count = len(error.problems)
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        raise CannotReach(f"{file} has {count} problem{'s' if count > 1 else ''}:\n{lines}") from None


def stack_name(stack: str | None, file: Path) -> str:
    """The stack that a command is about: the one that is named, else the app of the manifest."""
    if stack:
        return stack
    if not file.exists():
        raise CannotReach(f"Name a stack, or go where its {file.name} is.")
    return load(file).app


def template_of(manifest: Manifest, file: Path) -> dict[str, Any]:
    """The template: synthesized, or the user's own where the manifest names one."""
    if manifest.override.template:
        own = file.parent / manifest.override.template
        try:
            return parse_template(own.read_text())
        except OSError as error:
            raise CannotReach(f"override.template: {own} cannot be read: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CannotReach(f"override.template: {own} is not YAML: {error}") from None
    try:
        return synthesize(manifest)
    except BadOverride as error:
        raise CannotReach(str(error)) from None


def parse_template(text: str) -> dict[str, Any]:
    """A template's text, YAML or JSON, with the short forms as long ones."""
    template: dict[str, Any] = yaml.load(text, _Loader)
    return template


def template_text(manifest: Manifest, file: Path) -> str:
    """The template's text, as it is deployed."""
    if manifest.override.template:
        template_of(manifest, file)
        return (file.parent / manifest.override.template).read_text()
    return render(template_of(manifest, file))


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref x`) as their long forms."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)
