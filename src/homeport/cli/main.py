"""The `homeport` command: one file a verb, or a family of verbs."""

from __future__ import annotations

import typer

from homeport.cli import advisories, demo, deploy, engine, init, pipeline
from homeport.cli import exec as exec_in_task
from homeport.cli.doctor.command import doctor

app = typer.Typer(
    name="homeport",
    help="From a commit to production on Amazon ECS, on this machine and in your AWS account.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(engine.app, name="engine")
app.add_typer(advisories.app, name="advisories")
app.command()(demo.demo)
for verb in (
    init.init,
    deploy.validate,
    deploy.synth,
    deploy.diff,
    deploy.deploy,
    deploy.destroy,
    pipeline.status,
    pipeline.logs,
    pipeline.start,
    pipeline.stop,
    pipeline.retry,
    pipeline.rollback,
    pipeline.approve,
    pipeline.reject,
    doctor,
):
    app.command()(verb)
app.command("open")(pipeline.open_)
app.command("exec")(exec_in_task.exec_)


def main() -> None:
    """The console script."""
    app()
