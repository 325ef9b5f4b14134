"""Intrinsic functions: a template's value and an environment in, the plain value out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any

from homeport.engine.services.cloudformation.errors import format_error, template_error
from homeport.engine.services.cloudformation.values import (
    NO_VALUE,
    UNKNOWN,
    Environment,
    contains_unknown,
    text,
)


def evaluate(value: Any, env: Environment) -> Any:
    """The value with all its functions applied; NO_VALUE when all of it is to be left out."""
    if isinstance(value, dict):
        function = function_of(value)
        if function:
            return FUNCTIONS[function](value[function], env)
        pairs = ((key, evaluate(item, env)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}
    if isinstance(value, list):
        return [item for item in (evaluate(item, env) for item in value) if item is not NO_VALUE]
    return value


def function_of(value: Any) -> str | None:
    """The function that an object calls, None when it is a plain object."""
    if isinstance(value, dict) and len(value) == 1:
        (name,) = value
        if name in FUNCTIONS:
            return name
        if name.startswith("Fn::") and not name.startswith("Fn::ForEach::"):
            raise template_error(
                f"Encountered unsupported function: {name} Supported functions are: {_NAMES}"
            )
    return None


SUBSTITUTION = re.compile(r"\$\{(!?)([^{}$]*)\}")


def substitutions(template: str) -> list[str]:
    """The names that a Fn::Sub string refers to."""
    return [match[2].strip() for match in SUBSTITUTION.finditer(template) if not match[1]]


def split_attribute(argument: Any) -> tuple[str, Any]:
    """Fn::GetAtt's logical id and attribute, from either of its forms."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    well_formed = isinstance(parts, list) and len(parts) >= 2 and isinstance(parts[0], str) and parts[0]
    if not well_formed or (len(parts) > 2 and not all(isinstance(part, str) for part in parts)):
        raise template_error(
            "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
            "attribute"
        )
    return parts[0], parts[1] if len(parts) == 2 else ".".join(parts[1:])


def _ref(argument: Any, env: Environment) -> Any:
    if not isinstance(argument, str):
        raise template_error("every Ref object must have a single String value.")
    if argument == "AWS::NoValue":
        return NO_VALUE
    if argument in env.parameters:
        return env.parameters[argument]
    return env.reference(argument)


def _get_att(argument: Any, env: Environment) -> Any:
    id, attribute = split_attribute(argument)
    name = evaluate(attribute, env)
    return UNKNOWN if name is UNKNOWN else env.attribute(id, text(name))


def _sub(argument: Any, env: Environment) -> Any:
    template, values = argument, {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        template, values = argument
    if not isinstance(template, str):
        raise template_error(
            "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
            "first argument, and an optional second argument to specify a mapping of values to replace in the "
            "string"
        )
    values = {name: evaluate(item, env) for name, item in values.items()}
    parts: list[Any] = []
    end = 0
    for match in SUBSTITUTION.finditer(template):
        parts += [template[end : match.start()], _substitute(match, values, env)]
        end = match.end()
    return _joined([*parts, template[end:]], "Fn::Sub")


def _substitute(match: re.Match[str], values: dict[str, Any], env: Environment) -> Any:
    literal, name = match[1], match[2].strip()
    if literal:
        return f"${{{match[2]}}}"
    if name in values:
        return values[name]
    if not re.fullmatch(r"[A-Za-z0-9:]+(\.[A-Za-z0-9_:.-]+)?", name):
        raise template_error(
            "variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, "
            "and colons"
        )
    return _get_att(name, env) if "." in name else _ref(name, env)


def _joined(parts: list[Any], function: str, delimiter: str = "") -> Any:
    parts = [part for part in parts if part is not NO_VALUE]
    if contains_unknown(parts):
        return UNKNOWN
    if any(isinstance(part, dict | list) for part in parts):
        raise template_error(f"{function} must resolve to strings; it holds a list or an object.")
    return delimiter.join(text(part) for part in parts)


def _join(argument: Any, env: Environment) -> Any:
    parts = evaluate(argument[1], env) if _pair(argument) else None
    if parts is UNKNOWN:
        return UNKNOWN
    if not isinstance(parts, list) or not isinstance(argument[0], str):
        raise template_error(
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to "
            "be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )
    return _joined(parts, "Fn::Join", argument[0])


def _split(argument: Any, env: Environment) -> Any:
    source = evaluate(argument[1], env) if _pair(argument) else None
    if source is UNKNOWN:
        return UNKNOWN
    if not isinstance(source, str | int | float) or not isinstance(argument[0], str) or not argument[0]:
        raise template_error(
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be "
            "split or a function that returns a string to be split."
        )
    return text(source).split(argument[0])


def _select(argument: Any, env: Environment) -> Any:
    if not _pair(argument):
        raise template_error(
            "Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    index, items = evaluate(argument[0], env), evaluate(argument[1], env)
    if UNKNOWN in (index, items):
        return UNKNOWN
    if not isinstance(items, list) or not text(index).isdigit():
        raise template_error(
            "Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    if int(index) >= len(items):
        raise template_error(f"Fn::Select  cannot select nonexistent value at index {index}")
    return items[int(index)]


def _find_in_map(argument: Any, env: Environment) -> Any:
    if not isinstance(argument, list) or len(argument) not in (3, 4):
        raise template_error(
            "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for "
            "return value"
        )
    keys = [evaluate(key, env) for key in argument[:3]]
    if contains_unknown(keys):
        return UNKNOWN
    name, top, second = map(text, keys)
    found = env.mappings.get(name, {}).get(top, {}).get(second, NO_VALUE)
    if found is not NO_VALUE:
        return found
    if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
        return evaluate(argument[3]["DefaultValue"], env)
    if name not in env.mappings:
        raise template_error(f"Mapping named '{name}' is not present in the 'Mappings' section of template.")
    raise template_error(f"Unable to get mapping for {name}::{top}::{second}")


def _if(argument: Any, env: Environment) -> Any:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise template_error("Fn::If requires a list argument with three parameters")
    return evaluate(argument[1] if _named_condition(argument[0], env) else argument[2], env)


def _named_condition(name: Any, env: Environment) -> bool:
    if not isinstance(name, str) or name not in env.conditions:
        raise format_error(f"Unresolved condition dependency {name} in the Resources block of the template")
    return env.conditions[name]


def _condition(argument: Any, env: Environment) -> Any:
    # `{"Condition": {...}}` is a plain object: policy documents have one in each statement
    if not isinstance(argument, str):
        return {"Condition": evaluate(argument, env)}
    return _named_condition(argument, env)


def _base64(argument: Any, env: Environment) -> Any:
    value = evaluate(argument, env)
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict | list):
        raise template_error("every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(text(value).encode()).decode()


def _cidr(argument: Any, env: Environment) -> Any:
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise template_error(
            "every Fn::Cidr object requires two parameters, (1) a string of an ip address block and (2) the "
            "number of CIDRs to generate, and optionally (3) the number of subnet bits"
        )
    values = [evaluate(item, env) for item in argument]
    if contains_unknown(values):
        return UNKNOWN
    block, count, bits = (*map(text, values), "8")[:3]
    try:
        network = ipaddress.ip_network(block, strict=False)
        subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
        made = [text(subnet) for _, subnet in zip(range(int(count)), subnets, strict=False)]
    except ValueError as error:
        raise template_error(f"Fn::Cidr cannot divide {block}: {error}") from None
    if not 1 <= int(count) <= 256 or len(made) < int(count):
        raise template_error(f"Fn::Cidr cannot make {count} CIDRs of {bits} subnet bits from {block}")
    return made


def _get_azs(argument: Any, env: Environment) -> Any:
    region = evaluate(argument, env)
    if region is UNKNOWN:
        return UNKNOWN
    return env.zones(text(region or env.parameters.get("AWS::Region", "")))


def _import_value(argument: Any, env: Environment) -> Any:
    name = evaluate(argument, env)
    return UNKNOWN if name is UNKNOWN else env.exported(text(name))


def _transform(argument: Any, env: Environment) -> Any:
    name = argument.get("Name") if isinstance(argument, dict) else argument
    raise template_error(f"Fn::Transform {name} may not stand here")


def _length(argument: Any, env: Environment) -> Any:
    value = evaluate(argument, env)
    if value is UNKNOWN:
        return UNKNOWN
    if not isinstance(value, list):
        raise template_error("Fn::Length requires a list or a function that returns a list")
    return len(value)


def _to_json_string(argument: Any, env: Environment) -> Any:
    if not isinstance(argument, dict | list):
        raise template_error("Fn::ToJsonString requires an object or an array")
    value = evaluate(argument, env)
    return UNKNOWN if contains_unknown(value) else json.dumps(value, separators=(",", ":"))


def _equals(argument: Any, env: Environment) -> Any:
    if not _pair(argument):
        raise template_error("every Fn::Equals object requires a list of 2 string parameters.")
    left, right = (evaluate(item, env) for item in argument)
    return _comparable(left) == _comparable(right)


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    return text(value)


def _and(argument: Any, env: Environment) -> Any:
    return all(_booleans("Fn::And", argument, env))


def _or(argument: Any, env: Environment) -> Any:
    return any(_booleans("Fn::Or", argument, env))


def _booleans(function: str, argument: Any, env: Environment) -> list[bool]:
    if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
        raise template_error(
            f"every {function} object requires a list of at least 2 and at most 10 boolean parameters."
        )
    return [_boolean(function, item, env) for item in argument]


def _not(argument: Any, env: Environment) -> Any:
    if not isinstance(argument, list) or len(argument) != 1:
        raise template_error("every Fn::Not object requires a list of 1 boolean parameter.")
    return not _boolean("Fn::Not", argument[0], env)


def _boolean(function: str, item: Any, env: Environment) -> bool:
    value = evaluate(item, env)
    if text(value).lower() not in ("true", "false"):
        raise template_error(f"every {function} object requires boolean parameters.")
    return text(value).lower() == "true"


def _contains(argument: Any, env: Environment) -> Any:
    values, wanted = _pair_of("Fn::Contains", argument, env)
    return text(wanted) in [text(item) for item in values]


def _each_member_equals(argument: Any, env: Environment) -> Any:
    values, wanted = _pair_of("Fn::EachMemberEquals", argument, env)
    return all(text(item) == text(wanted) for item in values)


def _each_member_in(argument: Any, env: Environment) -> Any:
    values, allowed = _pair_of("Fn::EachMemberIn", argument, env)
    return {text(item) for item in values} <= {text(item) for item in allowed}


def _pair_of(function: str, argument: Any, env: Environment) -> tuple[Any, Any]:
    values = evaluate(argument, env)
    if not _pair(values) or not isinstance(values[0], list):
        raise template_error(
            f"every {function} object requires a list of strings and what to compare it with."
        )
    return values[0], values[1]


def _pair(argument: Any) -> bool:
    return isinstance(argument, list) and len(argument) == 2


FUNCTIONS: dict[str, Callable[[Any, Environment], Any]] = {
    "Condition": _condition,
    "Fn::And": _and,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Not": _not,
    "Fn::Or": _or,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
    "Fn::Transform": _transform,
    "Ref": _ref,
}
_NAMES = f"[{', '.join(FUNCTIONS)}]"
