"""How commands print what they found."""

from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """For people, or for programs."""

    table = "table"
    json = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Table for people, JSON for programs.")]
