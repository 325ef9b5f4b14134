"""Which function, and which version of it, a request means.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html#versioning-versions-using
"""

from __future__ import annotations

import re
import secrets
from typing import Any, NamedTuple

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.tables import ALIASES, FUNCTIONS, LATEST, VERSIONS, Row
from homeport.engine.wire.errors import AwsError

_REFERENCE = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)


class Reference(NamedTuple):
    """A function and, where one is named, a version or alias of it."""

    name: str
    qualifier: str | None


def reference(ctx: Context, request: dict[str, Any]) -> Reference:
    """What `FunctionName` (a name, a partial ARN or an ARN) and `Qualifier` name. Raises
    InvalidParameterValueException, ResourceNotFoundException."""
    given, qualifier = request["FunctionName"], request.get("Qualifier")
    found = _REFERENCE.fullmatch(given)
    if found is None:
        raise AwsError("InvalidParameterValueException", f"Invalid function name: {given}", Type="User")
    if qualifier and found["qualifier"] and qualifier != found["qualifier"]:
        raise AwsError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
            Type="User",
        )
    if (found["account"] or ctx.account) != ctx.account or (found["region"] or ctx.region) != ctx.region:
        raise not_found(given)
    return Reference(found["name"], qualifier or found["qualifier"])


def find_function(ctx: Context, request: dict[str, Any]) -> tuple[Row, str | None]:
    """The function's row, and the qualifier that was named. Raises ResourceNotFoundException."""
    named = reference(ctx, request)
    row = FUNCTIONS.get(ctx, named.name)
    if row is None:
        raise not_found(arn_of(ctx, named.name, named.qualifier))
    return row, named.qualifier


def find_version(ctx: Context, request: dict[str, Any]) -> Row:
    """The row of the version that a request means. Raises ResourceNotFoundException."""
    row, qualifier = find_function(ctx, request)
    return version_of(ctx, row["FunctionName"], qualifier)


def version_of(ctx: Context, name: str, qualifier: str | None) -> Row:
    """The version that a qualifier stands for; of an alias with weights one by chance, as the weights say. Raises
    ResourceNotFoundException."""
    alias = ALIASES.get(ctx, name, qualifier) if qualifier else None
    version = VERSIONS.get(ctx, name, _chosen(alias) if alias else qualifier or LATEST)
    if version is None:
        raise not_found(arn_of(ctx, name, qualifier))
    return version


def _chosen(alias: Row) -> str:
    dice = secrets.randbelow(10**6) / 10**6
    for version, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
        if dice < weight:
            return str(version)
        dice -= weight
    return str(alias["FunctionVersion"])


def arn_of(ctx: Context, name: str, qualifier: str | None = None) -> str:
    """The ARN of a function, or of a version or alias of it."""
    return ctx.arn(f"function:{name}" + (f":{qualifier}" if qualifier else ""))


def not_found(arn: str) -> AwsError:
    """The error for a function that is not there."""
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", Type="User")


def invalid(message: str) -> AwsError:
    """The error for a value that is not taken."""
    return AwsError("InvalidParameterValueException", message, Type="User")
