"""`homeport validate | synth`: from homeport.yml to a template, without AWS."""

from __future__ import annotations

import sys

import typer

from homeport.cli.failures import explained
from homeport.cli.project import DEFAULT, FileOption, load, template_text


@explained
def validate(file: FileOption = DEFAULT) -> None:
    """Check homeport.yml and the template that comes of it."""
    manifest = load(file)
    from cfnlint import api
    from cfnlint.config import ManualArgs

    found = api.lint(template_text(manifest, file), config=ManualArgs())
    for match in found:
        print(f"  {match.rule.id} {match.message}")
    if any(match.rule.severity == "error" for match in found):
        raise typer.Exit(1)
    print(f"{file} is valid: {manifest.app}, {', '.join(manifest.environments)}, {manifest.deploy.strategy}.")


@explained
def synth(file: FileOption = DEFAULT) -> None:
    """Print the CloudFormation template."""
    sys.stdout.write(template_text(load(file), file))
