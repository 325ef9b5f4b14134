"""`homeport validate | synth`: from homeport.yml to a template, without AWS."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated, Any

import typer

from homeport.cli.failures import explained
from homeport.cli.output import Output, OutputOption, tell
from homeport.cli.project import DEFAULT, FileOption, load, template_of, template_text


@explained
def validate(file: FileOption = DEFAULT, output: OutputOption = Output.table) -> None:
    """Check homeport.yml and the template that comes of it."""
    manifest = load(file)
    from cfnlint import api
    from cfnlint.config import ManualArgs

    found = [
        each
        for each in api.lint(template_text(manifest, file), config=ManualArgs())
        if not _by_rounding(each)
    ]
    valid = not any(match.rule.severity == "error" for match in found)
    lines = [f"  {match.rule.id} {_where(match)}{match.message}" for match in found]
    if valid:
        lines.append(
            f"{file} is valid: {manifest.app}, {', '.join(manifest.environments)}, {manifest.deploy.strategy}."
        )
    facts: dict[str, Any] = {
        "valid": valid,
        "app": manifest.app,
        "environments": list(manifest.environments),
        "strategy": manifest.deploy.strategy,
        "findings": [
            {"rule": each.rule.id, "severity": each.rule.severity, "at": _path(each), "message": each.message}
            for each in found
        ],
    }
    tell(output, "\n".join(lines), **facts)
    if not valid:
        raise typer.Exit(1)


def _by_rounding(match: Any) -> bool:
    """Whether cfn-lint divided as computers do, and found that 33.3 is no multiple of 0.1. The manifest was asked."""
    return "is not a multiple of 0.1" in match.message and not re.search(r"\.\d\d", match.message.split()[0])


def _where(match: Any) -> str:
    return f"{path}: " if (path := _path(match)) else ""


def _path(match: Any) -> str:
    """Where in the template cfn-lint found something, as override.patch writes it."""
    return ".".join(str(part) for part in match.path or [])


@explained
def synth(
    file: FileOption = DEFAULT,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Table for the template as it is deployed, or JSON.")
    ] = Output.table,
) -> None:
    """Print the CloudFormation template."""
    manifest = load(file)
    if output is Output.json:
        print(json.dumps(template_of(manifest, file), indent=2, default=str))
    else:
        sys.stdout.write(template_text(manifest, file))
