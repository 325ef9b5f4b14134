"""`homeport init`: look at a repository, and write what it lacks to go to production."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import yaml
from rich.console import Console

from homeport.cli import git
from homeport.cli.detect import DEFAULT_PORT, Finding, look_at, services_in
from homeport.cli.failures import explained
from homeport.cli.output import Output, OutputOption, tell
from homeport.cli.target import CannotReach
from homeport.manifest.reader import FILE, Invalid, parse

T = TypeVar("T", str, int)

_HEADER = """\
# Every key: homeport manifest. What becomes of it: homeport synth
"""
_IGNORED = [".git", ".env", "node_modules", "__pycache__", ".venv", "Dockerfile", ".dockerignore", FILE]


@explained
def init(
    folder: Annotated[Path, typer.Argument(help="The application's folder.")] = Path(),
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; take what is found, else defaults.")
    ] = False,
    github: Annotated[
        bool,
        typer.Option("--github", help="Release pushes to the remote `origin` at GitHub, by a connection."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing homeport.yml.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Write homeport.yml, and a Dockerfile where there is none. In a repository of several services, for each."""
    if not folder.is_dir():
        raise CannotReach(f"{folder} is no folder")
    services = services_in(folder) or [folder]
    taken = [each / FILE for each in services if (each / FILE).exists()]
    if taken and not force:
        raise CannotReach(f"{taken[0]} exists already. Change it, or replace it:  homeport init --force")
    repository = _github(folder) if github else None
    out = Console(highlight=False, soft_wrap=True, quiet=output is Output.json)
    silent = yes or output is Output.json
    written: list[Path] = []
    for each, source in zip(services, _sources(services, repository), strict=True):
        written += _begin(out, each, _app(folder, each, services), silent, source)
    _next_steps(out, services, written)
    if output is Output.json:
        tell(output, "", files=[str(each) for each in written])


def _app(top: Path, folder: Path, services: list[Path]) -> str:
    """What an application is called: as the repository, and in one of several as its folder besides."""
    if folder == top:
        return _name(top.resolve().name)
    alone = [each.name for each in services].count(folder.name) == 1
    within = folder.name if alone else "-".join(folder.relative_to(top).parts)
    return _name(f"{top.resolve().name}-{within}")


def _begin(out: Console, folder: Path, app: str, yes: bool, source: dict[str, object]) -> list[Path]:
    """Write the files of one application, and return them."""
    found = look_at(folder)
    port, health = found.port, found.health
    if not yes:
        app = _ask(f"Name of the application in {folder.resolve().name}", app)
        if found.port is None:
            port = _ask("Port that it listens on", DEFAULT_PORT)
            found = look_at(folder, port)
        health = _ask("Path that answers 200 when it is well", health)
    text = _manifest(app, port or DEFAULT_PORT, health, found, source)
    try:
        parse(text)
    except Invalid as error:
        raise CannotReach(f"homeport.yml would not be valid: {error}") from None
    files = {FILE: text}
    if found.dockerfile is not None:
        files["Dockerfile"] = found.dockerfile
        ignored = Path(".dockerignore")
        if not (folder / ignored).exists():
            files[str(ignored)] = "".join(f"{line}\n" for line in _IGNORED)
    for name, content in files.items():
        (folder / name).write_text(content)
        out.print(f"[green]+[/] {folder / name}{_said(name, found, port, health)}")
    return [folder / name for name in files]


def _ask(question: str, default: T) -> T:
    """The answer, of the default's type."""
    try:
        answer: T = typer.prompt(question, default=default)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise CannotReach("\nNobody answers here. --yes takes what is found, else defaults.") from None
    return answer


def _said(name: str, found: Finding, port: int | None, health: str) -> str:
    if name == FILE:
        guess = "" if port else " (a guess: nothing tells it)"
        return f": {found.kind}, port {port or DEFAULT_PORT}{guess}, health at {health}"
    if name == "Dockerfile":
        return (
            ": a beginning, read it"
            if found.starts
            else ": [yellow]nothing tells how it starts; write its CMD[/]"
        )
    return ""


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:32].strip("-")
    name = name if name[:1].isalpha() else f"app-{name}".strip("-")
    return name if len(name) > 2 else f"{name}-app"


def _manifest(app: str, port: int, health: str, found: Finding, source: dict[str, object]) -> str:
    body: dict[str, object] = {"app": app}
    if source:
        body["source"] = source
    if found.buildspec:
        body["build"] = {"buildspec": found.buildspec}
    elif found.test:
        body["build"] = {"test": found.test}
    service: dict[str, object] = {"port": port, "health": health}
    if found.container and found.container != app:
        service["container"] = found.container
    body["service"] = service
    return _HEADER + yaml.safe_dump(body, sort_keys=False)


def _sources(services: list[Path], github: str | None) -> list[dict[str, object]]:
    """Where each application's code is: in a repository of several the first one's stack makes the repository, and
    the others use it."""
    top = git.root(services[0])
    found: list[dict[str, object]] = []
    for at, folder in enumerate(services):
        within = folder.resolve().relative_to(top) if top else Path()
        source: dict[str, object] = {"provider": "connection", "repository": github} if github else {}
        if len(services) > 1 and not github:
            shared = _name((top or services[0].resolve().parent).name)
            source = {"repository": shared, **({"existing": True} if at else {})}
        found.append({**source, **({"folder": str(within)} if within != Path() else {})})
    return found


def _github(folder: Path) -> str:
    url = git.remotes(folder).get("origin", "")
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", url)
    if not found:
        raise CannotReach(
            f"--github: the remote `origin` of {folder} is {url or 'not set'}. "
            "Point it at GitHub (git remote add origin …), or leave --github out."
        )
    return found[1]


def _next_steps(out: Console, services: list[Path], written: list[Path]) -> None:
    out.print("\nNext:\n")
    if git.root(services[0]) is None:
        out.print("  git init --initial-branch main")
    what = shlex.join(map(str, written)) if git.has_commits(services[0]) else "."
    out.print(f"  git add {what} && git commit -m 'Release by homeport'")
    for each in services:
        out.print("  homeport deploy" + ("" if each == Path() else f" -f {shlex.quote(str(each / FILE))}"))
    out.print("  git push homeport")
