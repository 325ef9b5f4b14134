"""Secrets of a container, from Systems Manager and Secrets Manager, as the task's execution role.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.failure import CannotStart, told
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_PREFIX = "unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve"


async def resolve(ctx: Context, secrets: list[Body], role: str | None) -> dict[str, str]:
    """Values by the names of environment variables (or log options). Raises CannotStart."""
    return {secret["name"]: await _value(ctx, secret["valueFrom"], role) for secret in secrets}


async def registry_login(ctx: Context, credentials: Body | None, role: str | None) -> tuple[str, str]:
    """Name and password for a private registry, from the secret that `repositoryCredentials` names (empty without
    it). Raises CannotStart. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html"""
    if not credentials:
        return "", ""
    named = credentials["credentialsParameter"]
    arn = named if named.startswith("arn:") else ctx.arn(f"secret:{named}", service="secretsmanager")
    text = await _from_secrets_manager(ctx, arn, role)
    try:
        login = json.loads(text)
        return str(login["username"]), str(login["password"])
    except (ValueError, KeyError, TypeError):
        raise CannotStart(
            "ResourceInitializationError",
            f"{_PREFIX} registry auth from asm: the secret {named} does not contain a username and a password",
        ) from None


async def _value(ctx: Context, source: str, role: str | None) -> str:
    if ":secretsmanager:" in source:
        return await _from_secrets_manager(ctx, source, role)
    return await _from_parameter_store(ctx, source, role)


async def _from_secrets_manager(ctx: Context, source: str, role: str | None) -> str:
    """`arn:aws:secretsmanager:region:account:secret:name[:json-key:stage:version]`."""
    parts = source.split(":")
    key, stage, version = [*parts[7:], "", "", ""][:3]
    try:
        answer = await _client(ctx, "secretsmanager", role, parts[3]).get_secret_value(
            SecretId=":".join(parts[:7]), VersionStage=stage or None, VersionId=version or None
        )
    except AwsError as error:
        raise CannotStart(
            "ResourceInitializationError",
            f"{_PREFIX} secret from asm: service call has been retried 1 time(s): failed to fetch secret {source} "
            f"from secrets manager: {told(error)}",
        ) from error
    text = answer.get("SecretString")
    if text is None:
        text = answer["SecretBinary"].decode()
    if not key:
        return text
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise CannotStart(
            "ResourceInitializationError",
            f"{_PREFIX} secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets "
            f"Manager did not contain json key {key}",
        ) from None
    return value if isinstance(value, str) else json.dumps(value)


async def _from_parameter_store(ctx: Context, source: str, role: str | None) -> str:
    """A parameter's ARN, or its name in the task's region."""
    is_arn = source.startswith("arn:")
    name = source.partition(":parameter")[2] if is_arn else source
    region = source.split(":")[3] if is_arn else ctx.region
    # the ARN leaves out the slash that a hierarchical name begins with
    names = [name] if not is_arn or name.count("/") > 1 else [name, name.removeprefix("/")]
    try:
        for each in names:
            answer = await _client(ctx, "ssm", role, region).get_parameters(Names=[each], WithDecryption=True)
            if answer.get("Parameters"):
                return answer["Parameters"][0]["Value"]
    except AwsError as error:
        raise CannotStart(
            "ResourceInitializationError",
            f"{_PREFIX} secrets from ssm: service call has been retried 1 time(s): {told(error)}",
        ) from error
    raise CannotStart(
        "ResourceInitializationError",
        f"{_PREFIX} secrets from ssm: service call has been retried 1 time(s): invalid parameters: {source}",
    )


def _client(ctx: Context, service: str, role: str | None, region: str) -> Any:
    if role is None:
        raise CannotStart(
            "ResourceInitializationError",
            f"{_PREFIX} {service} values: the task definition has secrets but no executionRoleArn",
        )
    return ctx.engine.context("ecs-tasks", ctx.scope).client(service, role=role, region=region)
