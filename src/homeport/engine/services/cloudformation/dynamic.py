"""Dynamic references: `{{resolve:ssm:…}}`, `{{resolve:ssm-secure:…}}` and `{{resolve:secretsmanager:…}}`.

They are resolved when a resource is made or changed, never before: stored properties, change sets and events
show the reference, not the secret.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.wire.errors import AwsError

PATTERN = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")

Client = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secretsmanager reference, taken apart: `secret-id:SecretString:json-key:version-stage:version-id`."""

    id: str
    key: str = ""
    stage: str = ""
    version: str = ""


async def resolve(value: Any, client: Client) -> Any:
    """The value with every dynamic reference in its strings replaced. `client(service)` gives the clients that
    act with the permissions of the stack."""
    found = {match.group(0): match for match in _references(value)}
    if not found:
        return value
    answers = {reference: await _look_up(match, client) for reference, match in found.items()}
    return _replace(value, answers)


def parse_secret(reference: str) -> Secret:
    """Take a secretsmanager reference apart. The id may be an ARN, which has seven parts of its own."""
    parts = reference.split(":")
    own = 7 if parts[0] == "arn" else 1
    id, rest = ":".join(parts[:own]), parts[own:]
    kind, key, stage, version = (*rest, "", "", "", "")[:4]
    if kind not in ("", "SecretString") or len(rest) > 4 or (stage and version):
        raise invalid(
            f"Could not parse SecretsManager secret name or arn in dynamic reference "
            f"{{{{resolve:secretsmanager:{reference}}}}}"
        )
    return Secret(id, key, stage, version)


def _references(value: Any) -> Iterator[re.Match[str]]:
    if isinstance(value, str):
        yield from PATTERN.finditer(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)


def _replace(value: Any, answers: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replace(item, answers) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, answers) for item in value]
    if isinstance(value, str):
        return PATTERN.sub(lambda match: answers[match.group(0)], value)
    return value


async def _look_up(match: re.Match[str], client: Client) -> str:
    service, reference = match.groups()
    if service in ("ssm", "ssm-secure"):
        return await _parameter(service, reference, client)
    if service == "secretsmanager":
        return await _secret(reference, client)
    raise invalid(f"Incorrect format is used in the following dynamic reference: {match.group(0)}")


async def _parameter(service: str, name: str, client: Client) -> str:
    try:
        answer = await client("ssm").get_parameter(Name=name, WithDecryption=service == "ssm-secure")
    except AwsError as error:
        if error.code != "ParameterNotFound":
            raise
        raise invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.") from None
    parameter = answer["Parameter"]
    if service == "ssm" and parameter["Type"] == "SecureString":
        raise invalid(
            f"Non-secure reference {{{{resolve:ssm:{name}}}}} names a SecureString: use ssm-secure."
        )
    return parameter["Value"]


async def _secret(reference: str, client: Client) -> str:
    secret = parse_secret(reference)
    which: dict[str, str] = {}
    if secret.stage:
        which["VersionStage"] = secret.stage
    if secret.version:
        which["VersionId"] = secret.version
    text: str = (await client("secretsmanager").get_secret_value(SecretId=secret.id, **which))["SecretString"]
    if not secret.key:
        return text
    try:
        value = json.loads(text)[secret.key]
    except (ValueError, KeyError, TypeError):
        raise invalid(
            f"Could not find a value associated with JSONKey {secret.key} in SecretString"
        ) from None
    return value if isinstance(value, str) else json.dumps(value)
