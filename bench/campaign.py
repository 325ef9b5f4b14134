"""A campaign of trials that go on for hours, in pieces of minutes: each trial gives one line of JSON, and what has
its line in the file is not tried again. At the end all of them stand in a table.

A trial's line has `scenario`, `run`, `at`, what its run returns, and `wrong`: what was not as it should be.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

S = TypeVar("S")


class Options(NamedTuple):
    """How a trial is made: its number, the requests a second, the connections that ask for slow answers."""

    run: int
    rate: float
    slow: int


class Scenario(NamedTuple, Generic[S]):
    """`site` names what it needs; scenarios with the same name share one. `run` returns the line's members."""

    name: str
    site: str
    run: Callable[[S, Options], dict[str, Any]]


def main(
    about: str,
    scenarios: list[Scenario[S]],
    open_site: Callable[[str], AbstractContextManager[S]],
    table: Callable[[list[dict[str, Any]]], str],
    default: Sequence[str] = ("*",),
) -> int:
    """Run what the command line names, or what is `default`, and print the table; 1 when something was wrong."""
    options = _options(about, default)
    named = [each for each in scenarios if any(fnmatch.fnmatch(each.name, one) for one in options.scenarios)]
    if options.list:
        sys.stdout.write("".join(f"{each.name}\n" for each in named))
        return 0
    lines = _lines(options.to)
    done = {(line["scenario"], line["run"]) for line in lines}
    runs = range(0 if options.table else options.runs)
    left = [(each, run) for run in runs for each in named if (each.name, run) not in done]
    deadline = time.monotonic() + options.minutes * 60
    for site in dict.fromkeys(each.site for each, _ in left):
        trials = [(each, run) for each, run in left if each.site == site]
        while trials and time.monotonic() < deadline:
            lines += _run(trials, lambda: open_site(site), options, deadline)  # noqa: B023
    sys.stdout.write(table(lines) + "\n")
    return 1 if any(line["wrong"] for line in lines) else 0


def _options(about: str, default: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", default=default, help="names, with * for any part")
    parser.add_argument("--list", action="store_true", help="name the scenarios, run none")
    parser.add_argument("--table", action="store_true", help="only show what the file has")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--to", type=Path, help="the file of lines")
    parser.add_argument("--rate", type=float, default=500, help="requests a second")
    parser.add_argument("--slow", type=int, default=2, help="connections that ask for answers of two seconds")
    parser.add_argument("--minutes", type=float, default=8, help="begin no trial after that")
    return parser.parse_args()


def _lines(file: Path | None) -> list[dict[str, Any]]:
    if file is None or not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def _run(
    trials: list[tuple[Scenario[S], int]],
    open_site: Callable[[], AbstractContextManager[S]],
    options: argparse.Namespace,
    deadline: float,
) -> list[dict[str, Any]]:
    """Make trials at one site, and take them from the list, until one is broken off. Returns their lines."""
    lines = []
    with open_site() as site:
        while trials and time.monotonic() < deadline:
            scenario, run = trials.pop(0)
            line = {"scenario": scenario.name, "run": run, "at": time.strftime("%FT%TZ", time.gmtime())}
            try:
                line |= scenario.run(site, Options(run, options.rate, options.slow))
            except Exception as error:
                traceback.print_exc()
                line |= {"wrong": [f"broken off: {error!r}"[:2000]], "broken": True}
            _write(line, options.to)
            lines.append(line)
            if line.get("broken"):
                break
    return lines


def _write(line: dict[str, Any], file: Path | None) -> None:
    text = json.dumps(line) + "\n"
    sys.stderr.write(text)
    if file:
        with file.open("a") as out:
            out.write(text)


def markdown(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
