"""`homeport docker`: docker, with the names of ECR's registries leading to the local engine.

Inside builds `<account>.dkr.ecr.<region>.amazonaws.com` is the engine's registry. Outside of them Docker would look for
that name at AWS, so docker is told the engine's loopback address instead, with the name as the beginning of the path.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from homeport.cli.engine import running

_REGISTRY = re.compile(r"(^|[=,])(?:https?://)?(\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com)(/?)")

app = typer.Typer(add_completion=False)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def docker(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGUMENTS", show_default=False)] = None,
) -> None:
    """Run docker with the names of ECR leading to the local engine, as they do in builds: login, tag, push, pull."""
    run(arguments or ["--help"])


def main() -> None:
    """The console script `homeport-docker`: the same for programs that want the name of a docker, as the CDK does in
    CDK_DOCKER."""
    run(sys.argv[1:])


def run(arguments: list[str]) -> None:
    """Become docker. Exits with a sentence where there is none, or no engine."""
    url = os.environ.get("AWS_ENDPOINT_URL") or running(None)["url"]
    try:
        os.execvp("docker", ["docker", *local(arguments, urlsplit(url).netloc)])
    except FileNotFoundError:
        sys.exit("There is no docker on the PATH. Install it: https://docs.docker.com/engine/install/")


def local(arguments: list[str], registry: str) -> list[str]:
    """The arguments with each image of ECR looked for below `registry`, the engine's `host:port`; a registry's name
    alone, as `docker login` takes it, becomes `registry`."""

    def place(match: re.Match[str]) -> str:
        return f"{match[1]}{registry}/{match[2]}/" if match[3] else f"{match[1]}{registry}"

    return [_REGISTRY.sub(place, each) for each in arguments]
