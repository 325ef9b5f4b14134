"""`homeport init`: look at a repository, and write what it lacks to go to production."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from homeport.cli.detect import Finding, look_at
from homeport.cli.failures import explained
from homeport.manifest.reader import FILE, Invalid, parse

out = Console(highlight=False)

_HEADER = """\
# What homeport makes of this: homeport synth. Every key: docs/manifest.md, and the JSON Schema in docs/
"""


@explained
def init(
    folder: Annotated[Path, typer.Argument(help="The application's folder.")] = Path(),
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; take what is found, else defaults.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing homeport.yml.")] = False,
) -> None:
    """Write homeport.yml, and a Dockerfile where there is none."""
    target = folder / FILE
    if target.exists() and not force:
        raise typer.BadParameter(f"{target} exists already; change it, or replace it with --force")
    found = look_at(folder)
    app, port, health = _name(folder), found.port, found.health
    if not yes:
        app = typer.prompt("Name of the application", default=app)
        if found.port is None:
            port = typer.prompt("Port that it listens on", default=8080, type=int)
        health = typer.prompt("Path that answers 200 when it is well", default=health)
    text = _manifest(app, port or 8080, health, found)
    try:
        parse(text)
    except Invalid as error:
        raise typer.BadParameter(str(error)) from None
    target.write_text(text)
    out.print(f"[green]+[/] {target}: {found.kind}, port {port or 8080}")
    if found.dockerfile is not None:
        (folder / "Dockerfile").write_text(found.dockerfile)
        out.print(f"[green]+[/] {folder / 'Dockerfile'}: {found.kind}; read it, it is a beginning")
        _ignore(folder)
    out.print("\nNext:  homeport deploy")


def _name(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:32].strip("-")
    return name if re.fullmatch(r"[a-z][a-z0-9-]+[a-z0-9]", name) else "app"


def _manifest(app: str, port: int, health: str, found: Finding) -> str:
    body: dict[str, object] = {"app": app}
    build: dict[str, object] = {}
    if found.buildspec:
        build["buildspec"] = found.buildspec
    elif found.test:
        build["test"] = found.test
    if build:
        body["build"] = build
    service: dict[str, object] = {"port": port, "health": health}
    if found.container and found.container != app:
        service["container"] = found.container
    body["service"] = service
    return _HEADER + yaml.safe_dump(body, sort_keys=False)


def _ignore(folder: Path) -> None:
    ignored = folder / ".dockerignore"
    if not ignored.exists():
        ignored.write_text(".git\nnode_modules\n__pycache__\n.venv\n")
        out.print(f"[green]+[/] {ignored}")
