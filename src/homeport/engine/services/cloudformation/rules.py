"""The Rules section: what must hold between parameters before anything is made.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.engine.services.cloudformation.errors import template_error
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.values import Environment, text


def check_rules(section: Mapping[str, Any], env: Environment) -> None:
    """Raise ValidationError that names every assertion which does not hold."""
    failed = [
        str(assertion.get("AssertDescription") or f"rule {name} does not hold")
        for name, rule in section.items()
        if "RuleCondition" not in rule or _holds(rule["RuleCondition"], env)
        for assertion in rule.get("Assertions", ())
        if not _holds(assertion["Assert"], env)
    ]
    if failed:
        raise template_error(f"Rule assertions failed: {'; '.join(failed)}")


def _holds(condition: Any, env: Environment) -> bool:
    return text(evaluate(condition, env)).lower() == "true"
