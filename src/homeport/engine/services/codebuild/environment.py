"""The variables that a build sees: CodeBuild's own, and the user's from three places.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from homeport.engine.services.codebuild.buildspec import Env

Kind = Literal["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"]
MASK = "***"
_SHORTEST_PART = 4
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variable(NamedTuple):
    """A variable before it is resolved: `value` is a text, a parameter's name, or a reference to a secret."""

    name: str
    value: str
    kind: Kind


class SecretReference(NamedTuple):
    """`id:json-key:version-stage:version-id`, of which only the first is needed."""

    secret_id: str
    json_key: str = ""
    version_stage: str = ""
    version_id: str = ""


def merge(*sources: Iterable[Variable]) -> dict[str, Variable]:
    """The variables of all sources by name; a later source overrules an earlier one, whatever the kinds."""
    return {variable.name: variable for source in sources for variable in source}


def of_buildspec(env: Env) -> list[Variable]:
    """The variables of the buildspec's `env`; a reference overrules a plain text of the same name."""
    return [
        *(Variable(name, value, "PLAINTEXT") for name, value in env.variables.items()),
        *(Variable(name, value, "PARAMETER_STORE") for name, value in env.parameter_store.items()),
        *(Variable(name, value, "SECRETS_MANAGER") for name, value in env.secrets_manager.items()),
    ]


def of_environment(variables: Iterable[Mapping[str, Any]]) -> list[Variable]:
    """The `environmentVariables` of a project or of StartBuild."""
    return [Variable(each["name"], each["value"], each.get("type", "PLAINTEXT")) for each in variables]


def parse_secret_reference(text: str) -> SecretReference:
    """The parts of a reference. An ARN contains colons of its own: the seven parts of it are the id."""
    parts = text.split(":")
    length = 7 if text.startswith("arn:") else 1
    return SecretReference(":".join(parts[:length]), *[*parts[length:], "", "", ""][:3])


def pick_secret(reference: SecretReference, text: str) -> str:
    """What a reference means within the secret's text. Raises KeyError for a key that is not there."""
    if not reference.json_key:
        return text
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or reference.json_key not in body:
        raise KeyError(reference.json_key)
    value = body[reference.json_key]
    return value if isinstance(value, str) else json.dumps(value)


def of_build(
    build: Mapping[str, Any], source_directories: Mapping[str, str], log_path: str
) -> dict[str, str]:
    """CodeBuild's own variables. `source_directories` are the folders by source identifier, "" for the primary."""
    arn = build["arn"]
    region, account = arn.split(":")[3:5]
    variables = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
        "CODEBUILD_BUILD_ARN": arn,
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_IMAGE": build["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_BUILD_URL": f"https://{region}.console.aws.amazon.com/codesuite/codebuild/{account}/projects/"
        f"{build['projectName']}/build/{build['id']}?region={region}",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_KMS_KEY_ID": build.get("encryptionKey", ""),
        "CODEBUILD_LOG_PATH": log_path,
        "CODEBUILD_SRC_DIR": source_directories.get("", ""),
        "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
    }
    optional = {
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.get("resolvedSourceVersion", ""),
        "CODEBUILD_SOURCE_REPO_URL": _source_url(build["source"]),
        "CODEBUILD_SOURCE_VERSION": build.get("sourceVersion", ""),
    }
    for source in build.get("secondarySources", ()):
        optional[f"CODEBUILD_SOURCE_REPO_URL_{source['sourceIdentifier']}"] = _source_url(source)
    for each in build.get("secondarySourceVersions", ()):
        optional[f"CODEBUILD_SOURCE_VERSION_{each['sourceIdentifier']}"] = each["sourceVersion"]
    variables |= {name: value for name, value in optional.items() if value}
    variables |= {f"CODEBUILD_SRC_DIR_{name}": path for name, path in source_directories.items() if name}
    return variables


def _source_url(source: Mapping[str, Any]) -> str:
    location = str(source.get("location", ""))
    if source["type"] == "S3":
        return f"s3://{location.removeprefix('arn:aws:s3:::')}"
    return location if source["type"] != "CODEPIPELINE" else ""


def as_shell(variables: Mapping[str, str]) -> str:
    """Lines that a POSIX shell reads to get the variables."""
    names = (name for name in variables if _NAME.fullmatch(name))
    return "".join(f"export {name}={shlex.quote(variables[name])}\n" for name in names)


class Mask:
    """Hides secrets in lines of a log, before they go anywhere."""

    def __init__(self, secrets: Iterable[str]) -> None:
        words = {part for secret in secrets for part in _parts(secret)}
        longest_first = sorted(words, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def apply(self, line: str) -> str:
        """The line with every secret in it replaced."""
        return self._pattern.sub(MASK, line) if self._pattern else line


def _parts(secret: str) -> Iterable[str]:
    """What of a secret may appear in one line: the whole, its lines, the values of a JSON object."""
    if secret.strip() and "\n" not in secret:
        yield secret.strip()
    for line in secret.splitlines():
        if len(line.strip()) >= _SHORTEST_PART:
            yield line.strip()
    try:
        body = json.loads(secret)
    except ValueError:
        return
    if isinstance(body, dict):
        for value in body.values():
            if isinstance(value, str) and len(value) >= _SHORTEST_PART:
                yield from _parts(value)
