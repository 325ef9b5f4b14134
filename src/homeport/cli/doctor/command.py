"""The command: every check, one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from homeport.cli.doctor import builds, connections, denials, machine, services
from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.output import Output, OutputOption
from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb
from homeport.cli.view import as_json

out = Console(highlight=False, soft_wrap=True)

Check = Callable[[Scope], Iterator[Diagnosis]]
CHECKS: dict[str, Check] = {
    "this machine": machine.check,
    "pushes, webhooks, connections": connections.check,
    "permissions": denials.check,
    "builds": builds.check,
    "services and their tasks": services.check,
}


@verb
def doctor(
    target: Target,
    stack: Annotated[
        str | None, typer.Argument(help="A stack; everything in the region when none is named.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Look for what is wrong, and say what, why and how to mend it. Exits with 1 when something is wrong, with 2 when
    something could not be looked at."""
    found: list[Diagnosis] = []
    unknown: dict[str, str] = {}
    scope = Scope(target, stack)
    for name, check in CHECKS.items():
        before = len(found)
        try:
            found.extend(check(scope))
        except (ClientError, BotoCoreError, CannotReach) as error:
            unknown[name] = str(error)
        if output is Output.table:
            _show(name, found[before:], unknown.get(name))
    if output is Output.json:
        print(json.dumps({"troubles": as_json(found), "not_checked": unknown}, indent=2))
    elif not found and not unknown:
        out.print("\nNothing is wrong that could be seen.")
    raise typer.Exit(1 if found else 2 if unknown else 0)


def _show(name: str, found: list[Diagnosis], unknown: str | None) -> None:
    mark = "[red]✗[/]" if found else "[yellow]?[/]" if unknown else "[green]✓[/]"
    out.print(f"{mark} {name}", end="")
    out.print(f": could not look: {unknown}" if unknown else "", markup=False)
    for each in found:
        out.print(f"\n  [bold red]{each.subject}[/]: ", end="")
        out.print(each.trouble, markup=False)
        out.print("  seen   ", style="bright_black", end="")
        out.print(_indent(each.evidence), markup=False)
        out.print("  mend   ", style="green", end="")
        out.print(_indent(each.mend), markup=False)


def _indent(text: str) -> str:
    return text.strip().replace("\n", "\n         ")
