"""What a role needs to read the secrets that the manifest names, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeport.stack.cloudformation import allow


def secret_statements(sources: Iterable[str]) -> list[dict[str, Any]]:
    """Statements for ARNs of Secrets Manager (`…:secret:name-AbCdEf`, a JSON key may follow) and Parameter Store."""
    secrets, parameters = set(), set()
    for source in sources:
        if ":ssm:" in source:
            parameters.add(source)
        else:
            secrets.add(":".join(source.split(":")[:7]))
    found = []
    if secrets:
        found.append(allow(["secretsmanager:GetSecretValue"], sorted(secrets)))
    if parameters:
        found.append(allow(["ssm:GetParameters"], sorted(parameters)))
    return found
