"""How commands print what they found, or did."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer


class Output(StrEnum):
    """For people, or for programs."""

    table = "table"
    json = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Table for people, JSON for programs.")]


def tell(output: Output, sentence: str, **facts: Any) -> None:
    """Say what a command did: a sentence, or the facts as one JSON object."""
    print(json.dumps(facts, indent=2) if output is Output.json else sentence)
