"""The conditions of stages, and their rules: what CreatePipeline and UpdatePipeline accept.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from homeport.engine.services.codepipeline.rules.contract import RuleProvider
from homeport.engine.wire.errors import AwsError

RESULTS = {
    "beforeEntry": ("FAIL", "SKIP"),
    "onSuccess": ("FAIL", "ROLLBACK"),
    "onFailure": ("FAIL", "ROLLBACK", "SKIP"),
}
"""What may follow from a condition. A stage is retried without one only: `onFailure.result`."""
SKIPPING = ("LambdaInvoke", "VariableCheck")
"""The rules that an entry condition which skips its stage may have."""


def check(declaration: dict[str, Any], rules: Mapping[str, RuleProvider]) -> None:
    """Raises InvalidStageDeclarationException."""
    for index, stage in enumerate(declaration["stages"]):
        for kind, results in RESULTS.items():
            if block := stage.get(kind):
                given = list(_results(block, kind, stage["name"], results))
                _check_rollback(declaration, index, given)
                for condition in block.get("conditions", []):
                    _check_condition(condition, kind, stage["name"], rules)


def _results(block: dict[str, Any], kind: str, stage_name: str, allowed: tuple[str, ...]) -> Iterator[str]:
    for one in (block, *block.get("conditions", [])):
        result = one.get("result")
        if result and result not in allowed and not (one is block and kind == "onFailure"):
            raise _invalid(f"The result {result} cannot be used with {kind} in stage '{stage_name}'")
        if result:
            yield result


def _check_rollback(declaration: dict[str, Any], index: int, results: list[str]) -> None:
    name = declaration["stages"][index]["name"]
    if "ROLLBACK" not in results:
        return
    if declaration["executionMode"] == "PARALLEL":
        raise _invalid(f"Stage '{name}': the result ROLLBACK cannot be used in PARALLEL mode")
    if index == 0:
        raise _invalid(f"Stage '{name}' is a source stage: it cannot be rolled back")


def _check_condition(
    condition: dict[str, Any], kind: str, stage_name: str, rules: Mapping[str, RuleProvider]
) -> None:
    declared = condition.get("rules", [])
    for rule in declared:
        _check_rule(rule, rules)
        provider = rule["ruleTypeId"]["provider"]
        if kind == "beforeEntry" and condition.get("result") == "SKIP" and provider not in SKIPPING:
            raise _invalid(
                f"Stage '{stage_name}': the result SKIP can be used with the rules {' and '.join(SKIPPING)} only, "
                f"not with {provider}"
            )
    counted = Counter(rule["name"] for rule in declared)
    if double := next((name for name, count in counted.items() if count > 1), None):
        raise _invalid(f"Rule names must be unique in a condition; '{double}' is used twice")


def _check_rule(rule: dict[str, Any], rules: Mapping[str, RuleProvider]) -> None:
    kind, name = rule["ruleTypeId"], rule["name"]
    provider = rules.get(kind["provider"])
    type_id = (kind["category"], kind.get("owner", "AWS"), kind.get("version", "1"))
    if provider is None or type_id != ("Rule", "AWS", "1"):
        told = ", ".join(f"{key}: '{value}'" for key, value in kind.items())
        raise _invalid(f"The rule '{name}' is of an unknown type ({told})")
    given = rule.get("configuration", {})
    for one in provider.properties:
        if one.required and not given.get(one.name):
            raise _invalid(f"The rule '{name}' is missing the required configuration '{one.name}'")
    known = {one.name for one in provider.properties}
    if unknown := sorted(set(given) - known):
        raise _invalid(f"The rule '{name}' has the unknown configuration '{unknown[0]}'")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidStageDeclarationException", message)
