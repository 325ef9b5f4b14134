"""The command: serve the page on this machine, and open it."""

from __future__ import annotations

import secrets
import socket
import sys
import threading
import webbrowser
from typing import Annotated

import typer

from homeport.cli.output import Output, OutputOption, tell
from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb

Port = Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")]


@verb
def console(
    target: Target,
    pipeline: Annotated[
        str | None, typer.Argument(help="The pipeline to show first; that of homeport.yml without it.")
    ] = None,
    port: Port = 4510,
    host: Annotated[
        str, typer.Option(help="Address to listen on; loopback unless you know better.")
    ] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
    output: OutputOption = Output.table,
) -> None:
    """Show deliveries on a local web page, live: pipeline, deployment, builds, images, alarms, what doctor finds. What
    a person decides is done there, too: start, stop, retry, approve, go on, take back."""
    from homeport.cli.console.app import make
    from homeport.cli.console.guard import Guard
    from homeport.cli.console.server import serve

    account = target.client("sts").get_caller_identity()[
        "Account"
    ]  # says at once when there is nobody to ask
    listener = _listen(host, port)
    address = f"http://{_in_url(host)}:{listener.getsockname()[1]}"
    token = secrets.token_urlsafe(32)
    ticket = secrets.token_urlsafe(32)
    guard = Guard(make(target, pipeline or _own(), account), host, token, ticket)
    url = f"{address}/?token={token}"
    sentence = f"The console is at  {url}\nIt is for you alone: whoever has the address acts as you."
    tell(output, sentence, url=url)
    sys.stdout.flush()  # a program that started it waits for the address
    if host not in ("127.0.0.1", "::1", "localhost"):
        typer.secho("What goes over the network to it is not encrypted.", fg="yellow", err=True)
    if open_:
        # The command line of a browser can be read by all users of a machine, so the ticket in it opens once.
        ticketed = f"{address}/?token={ticket}"
        threading.Thread(target=webbrowser.open, args=[ticketed], daemon=True).start()
    serve(guard, listener)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if host in ("0.0.0.0", "::", ""):
        raise CannotReach(
            "--host takes one address of this machine, so that pages of other names are refused."
        )
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        raise CannotReach(f"{host}:{port}: {error.strerror}. Take another port:  --port 0") from None
    return listener


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _own() -> str | None:
    """The pipeline of the homeport.yml here."""
    from homeport.cli.project import DEFAULT, load

    return load(DEFAULT).app if DEFAULT.exists() else None
