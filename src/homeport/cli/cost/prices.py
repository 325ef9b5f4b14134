"""The price table: prices.json, with what its numbers have been compared with, or a file of the user's in its form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeport.cli.target import CannotReach

_SHIPPED = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of one region, in dollars, by name; and by name what each has been compared with."""

    region: str
    as_of: str
    source: str
    of: dict[str, float]
    checked: dict[str, Checked]


@dataclass(frozen=True, slots=True)
class Checked:
    """AWS's page of a price, and where the number was found: "aws" on that page itself, "lists" in others' lists only,
    "nowhere" for what has not been found yet."""

    page: str
    found: str


def load(region: str, file: Path | None = None) -> Prices:
    """The prices of a region. Raises CannotReach for a region or a file that has none."""
    table = _read(file or _SHIPPED)
    of = table["regions"].get(region)
    if of is None:
        known = ", ".join(table["regions"])
        raise CannotReach(
            f"There are no prices of {region}; there are those of {known}. "
            "Take the nearest (--region), or bring your own table (--prices)."
        )
    return Prices(region, table["as_of"], table["source"], of, _checked(table.get("checked", {}), region))


def _checked(table: dict[str, Any], region: str) -> dict[str, Checked]:
    def found(entry: dict[str, Any]) -> str:
        return next((who for who in ("aws", "lists") if {region, "every"} & set(entry[who])), "nowhere")

    return {name: Checked(entry["page"], found(entry)) for name, entry in table.items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        table = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CannotReach(f"--prices: {file} cannot be read: {error}") from None
    names = set(next(iter(json.loads(_SHIPPED.read_text())["regions"].values())))
    if not isinstance(table, dict) or not {"as_of", "source", "regions"} <= set(table):
        raise CannotReach(f"--prices: {file} needs as_of, source and regions, as {_SHIPPED} has them")
    for region, prices in table["regions"].items():
        if missing := names - set(prices):
            raise CannotReach(f"--prices: {file}: {region} lacks {', '.join(sorted(missing))}")
    return table
