"""VariableCheck: compares a variable of the execution with a value.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from homeport.engine.services.codepipeline.actions.contract import ActionFailed, Property
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> str:
    configuration = running.configuration
    variable, value = configuration["Variable"], configuration["Value"]
    operator = configuration["Operator"]
    if not compare(operator, variable, value):
        raise ActionFailed(f"The variable is '{variable}': {operator} '{value}' does not hold")
    return f"The variable is '{variable}': {operator} '{value}' holds"


def compare(operator: str, variable: str, value: str) -> bool:
    """EQ equals, NE differs, MATCHES a regular expression, CONTAINS a string. Raises ActionFailed."""
    if operator == "MATCHES":
        try:
            return re.search(value, variable) is not None
        except re.error as error:
            raise ActionFailed(f"'{value}' is not a regular expression: {error}") from None
    checks = {"EQ": variable == value, "NE": variable != value, "CONTAINS": value in variable}
    if operator not in checks:
        raise ActionFailed(f"The operator '{operator}' is none of EQ, NE, CONTAINS, MATCHES")
    return checks[operator]


PROVIDER = RuleProvider(
    name="VariableCheck",
    properties=(Property("Variable", True), Property("Value", True), Property("Operator", True)),
    run=_run,
)
