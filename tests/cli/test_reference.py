"""Every command, option and key of homeport.yml is documented."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from homeport.cli import reference
from homeport.cli.main import VERBS, app

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_of_the_commands_is_up_to_date() -> None:
    assert reference.FILE.read_text() == reference.reference(), "run: python -m homeport.cli.reference"


def test_the_guides_name_commands_and_options_that_there_are() -> None:
    known = reference.FILE.read_text()
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for verb, options in re.findall(r"\bhomeport ([a-z]+)((?: [^\s`|]+)*)", page.read_text()):
            if verb in VERBS and verb != "docker":  # its options are docker's
                for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", options.partition(" -- ")[0]):
                    assert f"`{option}`" in known, f"{page.name}: homeport {verb} {option}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("homeport ")
