"""Template parameters: types, constraints, defaults, values of an earlier update, Systems Manager types.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from homeport.engine.services.cloudformation.errors import format_error, invalid
from homeport.engine.services.cloudformation.values import text

SSM_TYPE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
HIDDEN = "****"
_SCALAR = re.compile(r"String|Number|AWS::SSM::Parameter::Name|AWS::(EC2|Route53)::[A-Za-z:]+")
_LIST = re.compile(r"CommaDelimitedList|List<.+>")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its value: `value` as given, `resolved` what Systems Manager answered for SSM types."""

    name: str
    type: str
    value: str
    no_echo: bool = False
    resolved: str | None = None

    @property
    def ssm_name(self) -> str | None:
        """The name of the Systems Manager parameter that holds the value, for SSM types."""
        return self.value if SSM_TYPE.fullmatch(self.type) else None

    @property
    def reference(self) -> str | list[str]:
        """What Ref gives."""
        value = self.value if self.resolved is None else self.resolved
        if is_list(self.type):
            return [item.strip() for item in value.split(",")] if value else []
        return value

    def described(self) -> dict[str, str]:
        """As DescribeStacks shows it: the value of a NoEcho parameter is hidden."""
        shown = {"ParameterKey": self.name, "ParameterValue": HIDDEN if self.no_echo else self.value}
        if self.resolved is not None and not self.no_echo:
            shown["ResolvedValue"] = self.resolved
        return shown


def bind(
    section: Mapping[str, Any],
    given: Iterable[Mapping[str, Any]],
    previous: Mapping[str, str],
) -> dict[str, Parameter]:
    """Give every parameter of a template its value: the given one, the previous one, or the default.

    `given` are the request's Parameters; `previous` the values that the stack has. SSM types are yet to be
    resolved. Raises ValidationError as AWS does for missing, unknown and unfit values.
    """
    values: dict[str, str] = {}
    for item in given:
        name = item["ParameterKey"]
        if item.get("UsePreviousValue"):
            if name in section and name not in previous:
                raise invalid(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true"
                )
            values[name] = previous.get(name, "")
        else:
            values[name] = item.get("ParameterValue", "")
    unknown = [name for name in values if name not in section]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, declared in section.items() if name not in values and "Default" not in declared]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _bound(name, declared, values) for name, declared in section.items()}


def check_declarations(section: Mapping[str, Any]) -> None:
    """Raise ValidationError unless every parameter is declared with a type that exists."""
    for name, declared in section.items():
        if not isinstance(declared, dict) or "Type" not in declared:
            raise format_error(f"Every Parameters object must contain a Type member: {name} has none.")
        inner = SSM_TYPE.fullmatch(str(declared["Type"]))
        type = inner[1] if inner else str(declared["Type"])
        if not _SCALAR.fullmatch(type) and not _LIST.fullmatch(type):
            raise format_error(f"Unrecognized parameter type: {type}")


def is_list(type: str) -> bool:
    """Whether a parameter of this type refers to a list."""
    inner = SSM_TYPE.fullmatch(type)
    return bool(_LIST.fullmatch(inner[1] if inner else type))


def with_resolved(parameters: Mapping[str, Parameter], found: Mapping[str, str]) -> dict[str, Parameter]:
    """The parameters with the values that Systems Manager has for the SSM types."""
    return {
        name: replace(parameter, resolved=found[parameter.ssm_name]) if parameter.ssm_name else parameter
        for name, parameter in parameters.items()
    }


def default_of(declared: Mapping[str, Any]) -> str | None:
    """A declared default as a string."""
    default = declared.get("Default")
    if isinstance(default, list):
        return ",".join(text(item) for item in default)
    return None if default is None else text(default)


def is_no_echo(declared: Mapping[str, Any]) -> bool:
    """Whether the value is to be hidden."""
    return text(declared.get("NoEcho", False)).lower() == "true"


def _bound(name: str, declared: Mapping[str, Any], values: Mapping[str, str]) -> Parameter:
    value = values[name] if name in values else default_of(declared)
    parameter = Parameter(name, declared["Type"], value or "", is_no_echo(declared))
    _check(parameter, declared)
    return parameter


def _check(parameter: Parameter, declared: Mapping[str, Any]) -> None:
    name = parameter.name
    items = [parameter.value] if parameter.ssm_name else parameter.reference
    for item in [items] if isinstance(items, str) else items:
        problem = _problem(item, parameter.type, declared)
        if problem:
            described = declared.get("ConstraintDescription")
            why = f"failed to satisfy constraint: {described}" if described else problem
            raise invalid(f"Parameter '{name}' {why}")


def _problem(value: str, type: str, declared: Mapping[str, Any]) -> str | None:
    allowed = [text(item) for item in declared.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"must be one of AllowedValues: [{', '.join(allowed)}]"
    if type in ("Number", "List<Number>"):
        return _number_problem(value, declared)
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not _matches(str(pattern), value):
        return f"must match pattern {pattern}"
    if len(value) < int(declared.get("MinLength", 0)):
        return f"must contain at least {declared['MinLength']} characters"
    if "MaxLength" in declared and len(value) > int(declared["MaxLength"]):
        return f"must contain at most {declared['MaxLength']} characters"
    return None


def _number_problem(value: str, declared: Mapping[str, Any]) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return f"must be a number; {value!r} is not."
    if "MinValue" in declared and number < float(declared["MinValue"]):
        return f"must be a number not less than {declared['MinValue']}"
    if "MaxValue" in declared and number > float(declared["MaxValue"]):
        return f"must be a number not greater than {declared['MaxValue']}"
    return None


def _matches(pattern: str, value: str) -> bool:
    try:
        return bool(re.fullmatch(pattern, value))
    except re.error as error:
        raise format_error(f"AllowedPattern {pattern} is not a regular expression: {error}") from None
