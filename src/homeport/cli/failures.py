"""Errors of AWS and of this machine as sentences, not tracebacks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from homeport.cli.target import CannotReach

P = ParamSpec("P")
R = TypeVar("R")


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """Let a command end with what went wrong and what to do, and exit status 1."""

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return command(*arguments, **options)
        except Exception as error:
            if (said := sentence(error)) is None:
                raise
            typer.secho(said, fg="red", err=True)
            raise typer.Exit(1) from None

    return run


def sentence(error: Exception) -> str | None:
    """What went wrong; None for what is neither AWS's nor this machine's: a bug."""
    if isinstance(error, CannotReach):
        return str(error)
    # Imported late: verbs that do not speak to AWS need no botocore, and start the faster.
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
    )
    from botocore.parsers import ResponseParserError

    if isinstance(error, ClientError):
        detail = error.response["Error"]
        return f"{detail['Code']}: {detail['Message']}"
    if isinstance(error, EndpointConnectionError):
        return f"{error} Is the engine running?  homeport engine status"
    if isinstance(error, NoRegionError):
        return "No AWS region was found. Name one with --region, or in the profile: aws configure set region <region>"
    if isinstance(error, NoCredentialsError):
        return "No AWS credentials were found. Log in (aws sso login), or name a profile with --profile."
    if isinstance(error, ResponseParserError):
        return f"The target does not answer as AWS does. {str(error).partition(', invalid')[0]}"
    return str(error) if isinstance(error, BotoCoreError) else None
