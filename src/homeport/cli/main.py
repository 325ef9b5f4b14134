"""The `homeport` command: one file a verb, or a family of verbs."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from homeport import __version__

VERBS = {
    "engine": "engine:app",
    "advisories": "advisories:app",
    "demo": "demo:demo",
    "init": "init:init",
    "manifest": "keys:manifest",
    "validate": "synth:validate",
    "synth": "synth:synth",
    "diff": "deploy:diff",
    "deploy": "deploy:deploy",
    "destroy": "deploy:destroy",
    "status": "pipeline:status",
    "logs": "pipeline:logs",
    "start": "pipeline:start",
    "stop": "pipeline:stop",
    "retry": "pipeline:retry",
    "rollback": "pipeline:rollback",
    "approve": "pipeline:approve",
    "reject": "pipeline:reject",
    "doctor": "doctor.command:doctor",
    "permissions": "permissions.command:permissions",
    "cost": "cost.command:cost",
    "open": "pipeline:open_",
    "console": "console.command:console",
    "exec": "exec:exec_",
    "docker": "docker:app",
}
"""Where each verb is, in the order of `homeport --help`."""
_PANELS = {
    "engine": "This machine",
    "init": "From a repository to a stack",
    "status": "Releases",
    "doctor": "Looking closer",
}
"""The headings of `homeport --help`, by the verb that each begins with."""


class _Verbs(TyperGroup):
    """Imports a verb when it is called: all of them together would cost each one half a second."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = dict.fromkeys(VERBS)  # type: ignore[assignment]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in VERBS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = _command(cmd_name)
        return self.commands.get(cmd_name)

    def get_params(self, ctx: Any) -> Any:
        return _without_type(super().get_params(ctx))


def _command(name: str) -> Any:
    module, _, attribute = VERBS[name].partition(":")
    found = getattr(import_module(f"homeport.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        verb, found = found, typer.Typer(add_completion=False)
        found.command(name)(verb)
    command = typer.main.get_command(found)
    command.name = name
    for each in (command, *getattr(command, "commands", {}).values()):
        _without_type([*each.params, each.get_help_option(typer.Context(each))])
    command.short_help = " ".join((command.help or "").split()).partition(". ")[0].rstrip(".")
    begun = list(VERBS)[: list(VERBS).index(name) + 1]
    command.rich_help_panel = next(_PANELS[each] for each in reversed(begun) if each in _PANELS)  # type: ignore[attr-defined]
    return command


def _without_type(parameters: list[Any]) -> list[Any]:
    """A flag takes no value: the help would tell `<bool>`."""
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return parameters


app = typer.Typer(
    cls=_Verbs,
    name="homeport",
    help="From a commit to production on Amazon ECS, on this machine and in your AWS account.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"homeport {__version__}")
        raise typer.Exit


@app.callback(epilog="Begin with:  homeport engine start --detach, then homeport init in your repository.")
def _homeport(
    shown: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command. What none foresaw ends in a sentence; `HOMEPORT_DEBUG=1` shows where it happened."""
    try:
        app()
    except Exception as error:
        if os.environ.get("HOMEPORT_DEBUG"):
            raise
        sys.exit(
            f"homeport failed: {type(error).__name__}: {error}\n"
            "This is a bug. HOMEPORT_DEBUG=1 shows where; please report it with what you did."
        )
