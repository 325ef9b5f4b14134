"""The `homeport` command: one file a verb."""

from __future__ import annotations

import typer

from homeport.cli import demo, engine

app = typer.Typer(
    name="homeport",
    help="From a commit to production on Amazon ECS, on this machine and in your AWS account.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(engine.app, name="engine")
app.command()(demo.demo)


@app.callback()
def homeport() -> None:
    """Keep the verbs as subcommands."""


def main() -> None:
    """The console script."""
    app()
