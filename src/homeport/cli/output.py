"""How commands print what they found, or did."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from homeport.cli.target import CannotReach

if TYPE_CHECKING:
    from rich.console import Console

PIPED = 160
"""Columns of what is written to a file or a pipe: names are not cut short there."""


class Output(StrEnum):
    """For people, or for programs."""

    table = "table"
    json = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Table for people, JSON for programs.")]


def console(**options: Any) -> Console:
    """Where tables are drawn: as wide as the terminal, or `PIPED` columns where there is none."""
    from rich.console import Console

    wide = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=PIPED if wide else None, **options)


def confirm(question: str) -> None:
    """Ask before what cannot be undone, aside from what the command prints; ends the command unless the answer is yes.
    Raises CannotReach where nobody can answer."""
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise CannotReach("\nNobody said yes here, so nothing was done. --yes does not ask.") from None


def tell(output: Output, sentence: str, **facts: Any) -> None:
    """Say what a command did: a sentence, or the facts as one JSON object."""
    print(json.dumps(facts, indent=2) if output is Output.json else sentence)
