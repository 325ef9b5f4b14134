"""A CloudFormation template: YAML (with short-form tags) or JSON, read into plain values that know their lines.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from homeport.engine.services.cloudformation.errors import format_error, invalid, template_error

Path = tuple[str | int, ...]

SECTIONS = (
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
)
ATTRIBUTES = (
    "Condition",
    "Connectors",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
)
MAX_BYTES = 1_000_000
_SHORT = {"Ref": "Ref", "Condition": "Condition"}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as the template states it; nothing in it is evaluated."""

    id: str
    type: str
    properties: dict[str, Any]
    line: int
    condition: str | None = None
    depends_on: tuple[str, ...] = ()
    deletion_policy: Any = None
    update_replace_policy: Any = None
    creation_policy: Any = None
    update_policy: Any = None
    metadata: Any = None


@dataclass(frozen=True)
class Template:
    """A parsed template. `lines` gives the line at which the value at a path starts."""

    body: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)

    def section(self, name: str) -> dict[str, Any]:
        """A top-level section, `{}` when it is absent."""
        return self.body.get(name) or {}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """All resources by their logical ids, in the template's order."""
        return {id: self._resource(id, body) for id, body in self.section("Resources").items()}

    @cached_property
    def transforms(self) -> list[str]:
        """The names of the transforms that the whole template asks for, in order."""
        transform = self.body.get("Transform") or []
        listed = transform if isinstance(transform, list) else [transform]
        return [item["Name"] if isinstance(item, dict) else item for item in listed]

    def with_body(self, body: dict[str, Any]) -> Template:
        """The same template after a transform: what kept its place keeps its line."""
        return Template(body, self.lines)

    def _resource(self, id: str, body: dict[str, Any]) -> Resource:
        depends_on = body.get("DependsOn") or ()
        return Resource(
            id=id,
            type=body["Type"],
            properties=body.get("Properties") or {},
            line=self.lines.get(("Resources", id), 0),
            condition=body.get("Condition"),
            depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
            deletion_policy=body.get("DeletionPolicy"),
            update_replace_policy=body.get("UpdateReplacePolicy"),
            creation_policy=body.get("CreationPolicy"),
            update_policy=body.get("UpdatePolicy"),
            metadata=body.get("Metadata"),
        )


def parse(text: str) -> Template:
    """Read a template. Raises ValidationError for what is neither JSON nor YAML, or is not an object."""
    if len(text.encode()) > MAX_BYTES:
        raise invalid(
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_BYTES}"
        )
    body, lines = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    if not isinstance(body, dict):
        raise format_error("unsupported structure.")
    return Template(body, lines)


def check_structure(template: Template) -> None:
    """Raise ValidationError unless the sections and resources are shaped as a template's are. To be called
    after the transforms, which may use shapes of their own."""
    unknown = [name for name in template.body if name not in SECTIONS]
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = template.body.get("AWSTemplateFormatVersion")
    if version is not None and version != "2010-09-09":
        raise format_error(f"{version} is not a supported value for AWSTemplateFormatVersion.")
    for name in (
        "Conditions",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
    ):
        if not isinstance(template.body.get(name, {}), dict | None):
            raise format_error(f"[/{name}] 'null' values are not allowed in templates")
    for id, hook in template.section("Hooks").items():
        if not isinstance(hook, dict) or hook.get("Type") != "AWS::CodeDeploy::BlueGreen":
            raise format_error(
                f"[/Hooks/{id}] A hook must be an object of the Type AWS::CodeDeploy::BlueGreen."
            )
    if not template.section("Resources"):
        raise format_error("At least one Resources member must be defined.")
    for id, body in template.section("Resources").items():
        _check_resource(id, body)
    for name, output in template.section("Outputs").items():
        if not isinstance(output, dict) or "Value" not in output:
            raise format_error(
                f"Output {name} is malformed. Every Outputs member must contain a Value object"
            )
    _check_nulls(template.body, "")


def _check_resource(id: str, body: Any) -> None:
    if not id.isalnum():
        raise format_error(f"Resource name {id} is non alphanumeric.")
    if not isinstance(body, dict):
        raise format_error(f"[/Resources/{id}] Every Resources member must be an object.")
    if not isinstance(body.get("Type"), str):
        raise format_error(f"[/Resources/{id}] Every Resources object must contain a Type member.")
    custom = body["Type"].startswith(("Custom::", "AWS::CloudFormation::CustomResource"))
    for name in body:
        if name not in ATTRIBUTES and not (custom and name == "Version"):
            raise invalid(f"Invalid template resource property '{name}'")
    if not isinstance(body.get("Properties", {}), dict | None):
        raise format_error(f"[/Resources/{id}/Properties] Properties must be an object.")
    depends_on = body.get("DependsOn", [])
    named = [depends_on] if isinstance(depends_on, str) else depends_on
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise format_error("Every DependsOn value must be a string.")


def _check_nulls(value: Any, path: str) -> None:
    if value is None and path.count("/") > 1:
        raise format_error(f"[{path}] 'null' values are not allowed in templates")
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for name, item in items:
        if not (name == "Properties" and item is None):
            _check_nulls(item, f"{path}/{name}")


def _json(text: str) -> tuple[Any, dict[Path, int]]:
    try:
        body = json.loads(text)
    except ValueError as error:
        where = (
            f"(line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise format_error(f"JSON not well-formed. {where}") from None
    lines: dict[Path, int] = {}
    try:  # JSON without tabs is YAML, whose nodes know their lines
        _construct(yaml.compose(text.replace("\t", " "), Loader=_Loader), (), lines)
    except yaml.YAMLError:
        lines = {}
    return body, lines


def _yaml(text: str) -> tuple[Any, dict[Path, int]]:
    lines: dict[Path, int] = {}
    try:
        return _construct(yaml.compose(text, Loader=_Loader), (), lines), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise format_error(f"YAML not well-formed. {where}") from None
    except yaml.YAMLError:
        raise format_error("YAML not well-formed.") from None


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as CloudFormation reads it: dates are strings, and there are no aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise template_error("YAML aliases are not allowed in CloudFormation templates")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":value"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_scalars = _Loader("")


def _construct(node: yaml.Node | None, path: Path, lines: dict[Path, int]) -> Any:
    if node is None:
        return None
    lines[path] = node.start_mark.line + 1
    if not node.tag.startswith("!"):
        return _plain(node, path, lines)
    name = node.tag[1:]
    function = _SHORT.get(name) or f"Fn::{name}"
    value = _plain(node, (*path, function), lines)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {function: value}


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, index), lines) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    tag = node.tag
    if tag.startswith(
        "!"
    ):  # a short-form tag hides what the scalar would be: it is a string, unless quoted not
        tag = "tag:yaml.org,2002:str"
    return _Loader.yaml_constructors.get(tag, yaml.SafeLoader.construct_yaml_str)(
        _scalars, yaml.ScalarNode(tag, node.value, node.start_mark, node.end_mark)
    )


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key is not a string", problem_mark=key_node.start_mark)
        if key_node.tag.endswith(":merge"):
            raise format_error("YAML merge keys (<<) are not supported in CloudFormation templates.")
        key = str(key_node.value)
        if key in mapping:
            raise format_error(f"duplicate key {key!r} (line {key_node.start_mark.line + 1}).")
        mapping[key] = _construct(value_node, (*path, key), lines)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return mapping
