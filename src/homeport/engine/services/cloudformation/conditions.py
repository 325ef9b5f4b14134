"""The Conditions section: named conditions, each evaluated once, in whatever order they refer to each other.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from homeport.engine.services.cloudformation.errors import format_error, template_error
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.values import Environment, text


def evaluate_conditions(section: Mapping[str, Any], env: Environment) -> dict[str, bool]:
    """The value of every condition. `env` holds parameters and mappings; resources are not to be had here."""
    values = _Values(section, env)
    return {name: values[name] for name in section}


class _Values(Mapping[str, bool]):
    def __init__(self, section: Mapping[str, Any], env: Environment) -> None:
        self._section = section
        self._values: dict[str, bool] = {}
        self._open: list[str] = []
        self._env = replace(env, conditions=self, reference=_unresolved, attribute=_unresolved)

    def __getitem__(self, name: str) -> bool:
        if name not in self._values:
            if name in self._open:
                raise template_error(
                    f"Found circular condition dependency between {' and '.join(self._open)}"
                )
            self._open.append(name)
            self._values[name] = self._evaluate(name)
            self._open.pop()
        return self._values[name]

    def _evaluate(self, name: str) -> bool:
        value = text(evaluate(self._section[name], self._env)).lower()
        if value not in ("true", "false"):
            raise format_error(f"Every Conditions member must be a boolean function: {name} is not.")
        return value == "true"

    def __iter__(self) -> Iterator[str]:
        return iter(self._section)

    def __len__(self) -> int:
        return len(self._section)


def _unresolved(name: str, *_: str) -> NoReturn:
    raise template_error(
        f"Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
    )
