"""Transforms of a whole template: AWS::LanguageExtensions, AWS::Serverless-2016-10-31 (by AWS's own translator),
AWS::Include.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-section-structure.html
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from homeport.engine.services.cloudformation.blue_green.hook import TRANSFORM as BLUE_GREEN
from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.extensions import expand
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.template import Template, parse
from homeport.engine.services.cloudformation.values import Environment

EXTENSIONS = "AWS::LanguageExtensions"
SERVERLESS = "AWS::Serverless-2016-10-31"
INCLUDE = "AWS::Include"

Fetch = Callable[[str], Awaitable[str]]
"""Reads the text behind an `s3://` location."""

Policies = Callable[[], Awaitable[dict[str, str]]]
"""ARNs of AWS's managed policies by name."""


async def transformed(template: Template, env: Environment, fetch: Fetch, policies: Policies) -> Template:
    """The template after all of its transforms; the template itself when it has none."""
    body = copy.deepcopy(template.body)
    declared = body.pop("Transform", None)
    body = await _include_inside(body, env, fetch)
    for item in declared if isinstance(declared, list) else [declared]:
        if item is not None:
            body = await _apply(item, body, env, fetch, policies)
    return template if body == template.body else template.with_body(body)


async def _apply(item: Any, body: dict[str, Any], env: Environment, fetch: Fetch, policies: Policies) -> Any:
    name, parameters = (item["Name"], item.get("Parameters", {})) if isinstance(item, dict) else (item, {})
    if name == EXTENSIONS:
        return expand(body, env)
    if name == SERVERLESS:
        return _serverless(body, env.parameters, await policies())
    if name == INCLUDE:
        return body | await _included(parameters, env, fetch)
    if name == BLUE_GREEN:  # what it does depends on the stack: `blue_green` plans it
        return body
    raise invalid(f"No transform named {name} found.")


async def _include_inside(value: Any, env: Environment, fetch: Fetch) -> Any:
    """Replace every `Fn::Transform: {Name: AWS::Include}` by what it includes, beside its siblings."""
    if isinstance(value, list):
        return [await _include_inside(item, env, fetch) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {
        key: await _include_inside(item, env, fetch) for key, item in value.items() if key != "Fn::Transform"
    }
    if "Fn::Transform" not in value:
        return plain
    macro = value["Fn::Transform"]
    if macro.get("Name") != INCLUDE:
        raise invalid(f"No transform named {macro.get('Name')} found.")
    included = await _included(macro.get("Parameters", {}), env, fetch)
    return included if not isinstance(included, dict) else plain | included


async def _included(parameters: Mapping[str, Any], env: Environment, fetch: Fetch) -> Any:
    location = evaluate(parameters.get("Location"), env)
    if not isinstance(location, str) or not location.startswith("s3://"):
        raise invalid("Transform AWS::Include failed with: The location parameter is not a valid S3 uri.")
    return parse(await fetch(location)).body


def _serverless(body: dict[str, Any], parameters: Mapping[str, Any], policies: dict[str, str]) -> Any:
    # heavy, and wanted by few templates: loaded when one asks for it
    from boto3 import Session
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.arn_generator import ArnGenerator
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import (
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    region = str(parameters["AWS::Region"])
    values = dict(parameters)
    ArnGenerator.BOTO_SESSION_REGION_NAME = region
    to_py27_compatible_template(body, values)
    translator = Translator(policies, Parser(), boto_session=Session(region_name=region))
    try:
        return _plain(undo_mark_unicode_str_in_template(translator.translate(body, values)))
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise invalid(f"Transform {SERVERLESS} failed with: {error.message} {causes}") from None


def _plain(value: Any) -> Any:
    """Without the translator's own classes of strings and dictionaries."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
