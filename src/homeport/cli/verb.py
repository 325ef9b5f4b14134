"""What all verbs share: where they go, and how they fail."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from homeport.cli.failures import explained
from homeport.cli.target import Target, TargetName

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "target": (
        Annotated[TargetName, typer.Option("--target", help="The local engine, or your AWS account.")],
        TargetName.local,
    ),
    "profile": (Annotated[str | None, typer.Option(help="AWS profile, for --target aws.")], None),
    "region": (
        Annotated[
            str | None, typer.Option(help="AWS region; the profile's, or the engine's own, without it.")
        ],
        None,
    ),
    "data": (
        Annotated[Path | None, typer.Option(help="The local engine's data folder.", envvar="HOMEPORT_DATA")],
        None,
    ),
}


def verb(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes a Target as its first parameter: on the command line, that is the options `--target`,
    `--profile`, `--region` and `--data`. Its errors become sentences."""
    hints = get_type_hints(command, include_extras=True)
    own = list(inspect.signature(command).parameters.values())[1:]
    given = [each.replace(annotation=hints[each.name]) for each in own]
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**options: Any) -> None:
        place = Target(*(options.pop(name) for name in ("target", "profile", "region", "data")))
        command(place, **options)

    parameters = [each.replace(kind=kind) for each in given] + shared
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return explained(run)
