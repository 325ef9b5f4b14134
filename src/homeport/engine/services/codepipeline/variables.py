"""Variables in action configurations: `#{namespace.key}`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")
PIPELINE_NAMESPACE = "variables"
EXECUTION_NAMESPACE = "codepipeline"
RESERVED_NAMESPACES = frozenset({PIPELINE_NAMESPACE, EXECUTION_NAMESPACE})

Namespaces = Mapping[str, Mapping[str, str]]


class UnresolvedVariable(Exception):
    """A reference names a namespace or a key that no finished action of the execution has produced."""


def resolve(value: Any, namespaces: Namespaces) -> Any:
    """`value` (a string, or lists and maps of strings) with every reference replaced, once: what a variable
    contains is never read as a reference itself. Raises UnresolvedVariable."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: _lookup(match[0], match[1], match[2], namespaces), value)
    if isinstance(value, Mapping):
        return {key: resolve(item, namespaces) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, namespaces) for item in value]
    return value


def references(value: Any) -> list[tuple[str, str]]:
    """Every (namespace, key) that the value refers to, in order."""
    if isinstance(value, str):
        return [(match[1], match[2]) for match in REFERENCE.finditer(value)]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [found for item in items for found in references(item)]


def _lookup(text: str, namespace: str, key: str, namespaces: Namespaces) -> str:
    produced = namespaces.get(namespace)
    if produced is None:
        raise UnresolvedVariable(
            f"{text} cannot be resolved: no action that ran before has the namespace '{namespace}'"
        )
    if key not in produced:
        known = ", ".join(sorted(produced)) or "none"
        raise UnresolvedVariable(
            f"{text} cannot be resolved: the namespace '{namespace}' has no variable '{key}' (it has: {known})"
        )
    return produced[key]
