"""What a service is made of, in one value: its operations, its durable work, what it mounts."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, overload

from homeport.engine.durable.execution import ExecutionKind
from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.wire.http import AsgiApp, Request

if TYPE_CHECKING:
    from homeport.engine.services.context import Context
    from homeport.engine.services.engine import Engine

Function = Callable[["Context", dict[str, Any]], Awaitable[dict[str, Any]]]


class Operation:
    """An AWS operation: the function that carries it out, and the roles that its caller must be allowed to pass.

    `pass_role` maps members that hold a role's ARN (`roleArn`, `stages[].actions[].roleArn`) to the service
    principal that the role is passed to. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """

    def __init__(self, function: Function, pass_role: dict[str, str]) -> None:
        self.name = function.__name__.rstrip("_")
        self.run = function
        self.pass_role = pass_role
        self.__doc__ = function.__doc__

    def __call__(self, ctx: Context, request: dict[str, Any]) -> Awaitable[dict[str, Any]]:
        return self.run(ctx, request)


@overload
def operation(function: Function) -> Operation: ...


@overload
def operation(*, pass_role: dict[str, str]) -> Callable[[Function], Operation]: ...


def operation(
    function: Function | None = None, *, pass_role: dict[str, str] | None = None
) -> Operation | Callable[[Function], Operation]:
    """Mark the function that carries out the operation of its (boto3) name: `@operation` or
    `@operation(pass_role={"roleArn": "ecs-tasks.amazonaws.com"})`. A trailing underscore is dropped from names that
    Python keeps for itself."""
    if function is not None:
        return Operation(function, {})
    return lambda marked: Operation(marked, pass_role or {})


class Service:
    """One AWS service under boto3's name. `mounts` are ASGI applications beside the AWS API, by the first segments
    of their paths; `resource_policy(ctx, arn)` reads the resource policy of one of its resources, for IAM;
    `cross_origin(engine, request)` says with which headers a browser gets an answer for a page of another origin."""

    def __init__(
        self,
        name: str,
        modules: Iterable[ModuleType],
        executions: Iterable[ExecutionKind] = (),
        reconcilers: Iterable[Reconciler] = (),
        mounts: dict[str, Callable[[Engine], AsgiApp]] | None = None,
        start: Callable[[Engine], Awaitable[None]] | None = None,
        stop: Callable[[Engine], Awaitable[None]] | None = None,
        reset: Callable[[Engine], Awaitable[None]] | None = None,
        resource_policy: Callable[[Context, str], Awaitable[dict[str, Any] | None]] | None = None,
        cross_origin: Callable[[Engine, Request], dict[str, str]] | None = None,
    ) -> None:
        self.name = name
        modules = tuple(modules)
        self.operations: dict[str, Operation] = {
            value.name: value
            for module in modules
            for value in vars(module).values()
            if isinstance(value, Operation)
        }
        self.executions = tuple(executions)
        self.reconcilers = tuple(reconcilers)
        self.mounts = mounts or {}
        self.start = start
        self.stop = stop
        self.reset = reset
        self.resource_policy = resource_policy
        self.cross_origin = cross_origin
        package = sys.modules[modules[0].__name__] if modules else None
        self.migrations = _migrations(package)


def _migrations(module: ModuleType | None) -> tuple[str, Path] | None:
    """The nearest folder `migrations` above a module, with the name of the package that owns it."""
    if module is None or module.__file__ is None:
        return None
    for folder in Path(module.__file__).parents:
        if (folder / "migrations").is_dir():
            return folder.name, folder / "migrations"
        if folder.name == "services":
            break
    return None
