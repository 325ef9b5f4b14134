"""`homeport engine`: start, stop, status, env, logs and reset of the local engine."""

from __future__ import annotations

import gc
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from homeport.cli.environment import variables
from homeport.cli.failures import explained
from homeport.cli.output import Output, OutputOption, confirm, console, tell
from homeport.cli.processes import alive

app = typer.Typer(
    help="The local engine: AWS on this machine.", no_args_is_help=True, pretty_exceptions_enable=False
)

START_SECONDS = 20.0
STOP_SECONDS = 30.0


class Auth(StrEnum):
    """Whether access keys must be known."""

    enforce = "enforce"
    permissive = "permissive"


Data = Annotated[Path | None, typer.Option(help="Where the engine keeps its state.", envvar="HOMEPORT_DATA")]


@app.command()
def start(
    context: typer.Context,
    data: Data = None,
    port: Annotated[
        int, typer.Option(help="Port of the AWS API; 0 takes a free one.", min=0, max=65535)
    ] = 4566,
    host: Annotated[
        str, typer.Option(help="Address to listen on; loopback unless you know better.")
    ] = "127.0.0.1",
    account: Annotated[str, typer.Option(help="AWS account id, twelve digits.")] = "123456789012",
    region: Annotated[str, typer.Option(help="AWS region.")] = "us-east-1",
    auth: Annotated[
        Auth, typer.Option(help="permissive lets unknown keys act as the root user.")
    ] = Auth.enforce,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once the engine answers.")] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="With --detach: table for people, JSON for programs.")
    ] = Output.table,
) -> None:
    """Start the engine."""
    if sys.platform != "linux":
        _fail(
            "The engine needs Linux: it reaches containers by their own addresses, which Docker keeps in a virtual "
            'machine here. Run it there, as a container: docs/quickstart.md, "The engine in a container".'
        )
    from homeport.engine.config import load

    if not (len(account) == 12 and account.isdecimal()):
        raise typer.BadParameter(f"an AWS account id has twelve digits: {account!r}", param_hint="--account")
    if not re.fullmatch("[a-z]{2,}(-[a-z]+)+-[0-9]+", region):
        raise typer.BadParameter(f"a region is named like us-east-1: {region!r}", param_hint="--region")
    config = load(data, host=host, port=port, account=account, region=region, auth=auth.value)
    try:
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        _fail(f"The engine cannot keep its state in {config.data}: {error.strerror}. Another folder:  --data")
    if detach:
        options = {
            "--port": port,
            "--host": host,
            "--account": account,
            "--region": region,
            "--auth": auth.value,
        }
        words = [str(word) for option in options.items() for word in option]
        facts, sentence = _start_detached(config.data, words)
        tell(output, sentence, **{name: facts[name] for name in ("url", "pid", "account", "region", "auth")})
        _warn_other(context, facts)
        _warn_permissive(facts)
        _warn_without_docker()
        return
    gc.disable()  # all that the imports make stays: a tenth of the start went into looking for garbage in it
    from homeport.engine.main import CannotStart, run

    gc.freeze()
    gc.set_threshold(700, 10, 10)  # as it is by default: commands, which live for a moment, have it higher
    gc.enable()
    try:
        run(config)
    except CannotStart as error:
        _fail(str(error))


def _start_detached(data: Path, options: list[str]) -> tuple[dict[str, Any], str]:
    """What the engine announced, and the sentence that tells it."""
    if facts := _facts(data):
        return facts, f"The engine runs already at {facts['url']} (pid {facts['pid']})."
    log = data / "engine.log"
    with log.open("ab") as file:
        begin = file.tell()
        command = [sys.executable, "-m", "homeport.cli.engine", "start", "--data", str(data), *options]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not (facts := _facts(data)):
        if process.poll() is not None or time.monotonic() > deadline:
            _fail(f"The engine did not start. What it wrote to {log}:\n{_tail(log, 20, begin)}")
        time.sleep(0.02)
    return facts, (
        f"The engine answers at {facts['url']}. Commands of homeport find it; "
        "the aws cli and others do after:  eval $(homeport engine env)"
    )


@app.command()
def stop(data: Data = None, output: OutputOption = Output.table) -> None:
    """Stop the engine. Containers and the load balancer go on; the next start finds them again."""
    facts = running(data)
    os.kill(facts["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while alive(facts["pid"]):
        if time.monotonic() > deadline:
            _fail(f"The engine (pid {facts['pid']}) does not end; `kill -9` it: nothing is lost.")
        time.sleep(0.02)
    tell(output, "The engine has stopped.", stopped=True, data=str(_folder(data)))


@app.command()
def status(
    data: Data = None,
    output: OutputOption = Output.table,
) -> None:
    """Show where the engine answers, and what it uses."""
    facts = running(data)
    request = urllib.request.Request(f"{facts['url']}/_homeport/status")
    shown: dict[str, Any] = {"url": facts["url"], **json.loads(_asked(request, 10))}
    if output is Output.json:
        print(json.dumps(shown, indent=2))
        return
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in shown.items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        if name == "memory_bytes":
            name, text = "memory", f"{value / 2**20:.0f} MiB"
        table.add_row(name.replace("_", " "), text, style="yellow" if value == "permissive" else None)
    console().print(table)
    _warn_permissive(facts)


@app.command()
def env(data: Data = None, output: OutputOption = Output.table) -> None:
    """Print the shell lines that point AWS clients at the engine: eval $(homeport engine env)"""
    facts = running(data)
    values = variables(facts)
    if "HOMEPORT_IMAGE" not in os.environ:  # a path in the engine's own image is of no use outside of it
        values |= {"CDK_DOCKER": str(Path(sys.executable).with_name("homeport-docker"))}
    lines = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
    tell(output, lines, **values)


@app.command()
def logs(
    data: Data = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 100,
    output: OutputOption = Output.table,
) -> None:
    """Show the log of an engine that was started with --detach."""
    log = _folder(data) / "engine.log"
    if not log.exists():
        _fail(f"There is no log at {log}; an engine in the foreground writes to its terminal.")
    text = _tail(log, lines)
    tell(output, text, file=str(log), lines=text.splitlines())


@app.command()
@explained
def reset(
    data: Data = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Empty the engine: every resource, image, log and container of it."""
    facts = running(data)
    if not yes:
        confirm(f"Delete everything in the engine at {facts['url']}?")
    headers = {"x-homeport-token": facts["token"]}
    request = urllib.request.Request(f"{facts['url']}/_homeport/reset", method="POST", headers=headers)
    _asked(request, 120)
    tell(output, "The engine is empty.", url=facts["url"], empty=True)


def _asked(request: urllib.request.Request, seconds: float) -> bytes:
    """The engine's answer."""
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return bytes(answer.read())
    except OSError as error:
        _fail(
            f"The engine at {request.full_url.partition('/_homeport')[0]} does not answer: {error}. "
            "What it does:  homeport engine logs"
        )


def _folder(data: Path | None) -> Path:
    from homeport.engine.config import default_data

    return (data or default_data()).expanduser().absolute()


def _facts(data: Path) -> dict[str, Any] | None:
    """What the engine on this folder announced, if it runs."""
    try:
        facts = json.loads((data / "engine.json").read_text())
    except (OSError, ValueError):
        return None
    return facts if alive(facts["pid"]) else None


def running(data: Path | None) -> dict[str, Any]:
    """What the engine on this folder announced: its `url`, `pid`, `account` and so on. Exits with a sentence when it
    does not run."""
    folder = _folder(data)
    if facts := _facts(folder):
        return facts
    _fail(f"No engine runs on {folder}. Start one: homeport engine start --detach")


def _tail(log: Path, lines: int, begin: int = 0) -> str:
    """The last lines of a log, of what is behind its first `begin` bytes."""
    with log.open(errors="replace") as file:
        file.seek(begin)
        return "".join(deque(file, lines)).rstrip("\n")


def _warn_other(context: typer.Context, facts: dict[str, Any]) -> None:
    """An engine that runs already is as it was started, whatever the command line says now."""
    for name in ("port", "account", "region", "auth"):
        value = context.params[name]
        source = context.get_parameter_source(name)
        if value and value != facts[name] and source and source.name == "COMMANDLINE":
            text = f"Its {name} is {facts[name]}, not {value}: stop it first (homeport engine stop) to change that."
            typer.secho(text, fg="yellow", err=True)


def _warn_permissive(facts: dict[str, Any]) -> None:
    if facts["auth"] == "permissive":
        text = f"auth is permissive: unknown access keys act as root of {facts['account']}."
        typer.secho(text, fg="yellow", err=True)


def _warn_without_docker() -> None:
    """The engine itself needs none, but builds and tasks do."""
    try:
        answers = not subprocess.run(["docker", "version"], capture_output=True, timeout=10).returncode
    except (OSError, subprocess.TimeoutExpired):
        answers = False
    if not answers:
        text = "Docker does not answer, so nothing can be built or run. What to do:  homeport doctor"
        typer.secho(text, fg="yellow", err=True)


def _fail(sentence: str) -> NoReturn:
    typer.secho(sentence, fg="red", err=True)
    raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
