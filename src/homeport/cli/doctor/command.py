"""The command: what the checks found, for people and for programs."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Annotated

import typer

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.examination import Finding, examine
from homeport.cli.doctor.scope import Scope
from homeport.cli.output import Output, OutputOption, console
from homeport.cli.target import Target
from homeport.cli.verb import verb
from homeport.cli.view import as_json

out = console(soft_wrap=True)

_MARGIN = " " * 9
_COMMAND = re.compile(r"(sudo |apt-get |aws |curl |docker |git |homeport )")


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
    for each in examine(Scope(target, stack)):
        found += each.troubles
        unknown |= dict.fromkeys(each.checks, each.unknown) if each.unknown else {}
        if output is Output.table:
            _show(each)
    if output is Output.json:
        print(json.dumps({"troubles": as_json(found), "not_checked": unknown}, indent=2))
    elif not found and not unknown:
        out.print("\nNothing is wrong that could be seen.")
    raise typer.Exit(1 if found else 2 if unknown else 0)


def _show(finding: Finding) -> None:
    mark = "[red]✗[/]" if finding.troubles else "[yellow]?[/]" if finding.unknown else "[green]✓[/]"
    out.print(f"{mark} {'; '.join(finding.checks)}", end="")
    out.print(f": could not look. {finding.unknown}" if finding.unknown else "", markup=False)
    for each in finding.troubles:
        out.print(f"\n  [bold red]{each.subject}[/]: ", end="")
        out.print(each.trouble, markup=False)
        out.print("  seen   ", style="bright_black", end="")
        out.print(_indent(each.evidence), markup=False)
        out.print("  mend   ", style="green", end="")
        out.print(_indent(each.mend), markup=False)


def _indent(text: str) -> str:
    """Lines below each other. On a terminal long ones are folded; but a command stays whole, so that it can be
    copied."""
    lines = text.strip().splitlines()
    if out.is_terminal:
        lines = [part for line in lines for part in _folded(line, out.width - len(_MARGIN))]
    return f"\n{_MARGIN}".join(lines)


def _folded(line: str, width: int) -> list[str]:
    words, _, command = line.partition(":  ")
    if _COMMAND.match(line) or len(line) <= width:
        return [line]
    folded = textwrap.wrap(f"{words}:" if command else words, max(width, 20), break_on_hyphens=False)
    return [*folded, f"  {command}"] if command else folded
