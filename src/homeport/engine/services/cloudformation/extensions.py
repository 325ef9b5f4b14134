"""AWS::LanguageExtensions: Fn::ForEach is expanded here; the transform's other functions (Fn::Length,
Fn::ToJsonString, defaults of Fn::FindInMap, functions in DeletionPolicy) are evaluated like all functions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.cloudformation.errors import template_error
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.values import Environment, text

PREFIX = "Fn::ForEach::"


def expand(value: Any, env: Environment) -> Any:
    """The template's body with every Fn::ForEach replaced by what it makes."""
    if isinstance(value, list):
        return [expand(item, env) for item in value]
    if not isinstance(value, dict):
        return value
    expanded: dict[str, Any] = {}
    for key, item in value.items():
        made = _for_each(key, item, env) if key.startswith(PREFIX) else {key: expand(item, env)}
        for name, body in made.items():
            if name in expanded:
                raise template_error(f"{key} makes {name}, which the template has already.")
            expanded[name] = body
    return expanded


def _for_each(key: str, argument: Any, env: Environment) -> dict[str, Any]:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[2], dict):
        raise template_error(
            f"{key} layout is incorrect: it is a list of an identifier, a collection and an object to repeat"
        )
    identifier, collection, template = argument
    items = evaluate(collection, env)
    if not isinstance(items, list):
        raise template_error(f"{key}: the collection must be a list of values that are known beforehand")
    made: dict[str, Any] = {}
    for item in items:
        body = expand(_substitute(template, identifier, text(item)), env)
        if twice := next((name for name in body if name in made), None):
            raise template_error(f"{key} makes {twice} twice: its keys must contain ${{{identifier}}}")
        made |= body
    return made


def _substitute(value: Any, identifier: str, item: str) -> Any:
    if isinstance(value, str):
        return _in_text(value, identifier, item)
    if isinstance(value, list):
        return [_substitute(part, identifier, item) for part in value]
    if isinstance(value, dict):
        if value == {"Ref": identifier}:
            return item
        made = {
            _in_text(key, identifier, item): _substitute(part, identifier, item)
            for key, part in value.items()
        }
        return _without_sub(made)
    return value


def _without_sub(value: dict[str, Any]) -> Any:
    """Where nothing is left to substitute, the text itself: it may stand in Fn::GetAtt then."""
    content = value.get("Fn::Sub")
    return content if len(value) == 1 and isinstance(content, str) and "${" not in content else value


def _in_text(value: str, identifier: str, item: str) -> str:
    plain = "".join(character for character in item if character.isalnum())
    return value.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", plain)
