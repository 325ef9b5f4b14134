"""The schemas of resource types: what is required, fixed at creation, read-only. cfn-lint ships CloudFormation's
registry; each schema is read when its type is first used.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_REGION = "us-east-1"  # the region whose registry has every type


@dataclass(frozen=True)
class Schema:
    """One type's schema."""

    body: dict[str, Any]

    @cached_property
    def create_only(self) -> frozenset[str]:
        """Top-level properties whose change replaces the resource."""
        return self._top_level("createOnlyProperties")

    @cached_property
    def conditional_create_only(self) -> frozenset[str]:
        """Top-level properties whose change may replace the resource."""
        nested = {path.split("/")[2] for path in self._paths("createOnlyProperties") if path.count("/") > 2}
        return self._top_level("conditionalCreateOnlyProperties") | (nested - self.create_only)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """What Fn::GetAtt may ask for, nested ones with dots."""
        paths = (path.removeprefix("/properties/") for path in self._paths("readOnlyProperties"))
        return tuple(path.replace("/properties/", ".").replace("/", ".") for path in paths)

    @cached_property
    def tag_property(self) -> str | None:
        """The property that holds the resource's tags, None when it has none."""
        tagging = self.body.get("tagging", {})
        if not tagging.get("taggable", self.body.get("taggable", False)):
            return None
        name = tagging.get("tagProperty", "/properties/Tags").removeprefix("/properties/")
        return name if name in self.body.get("properties", {}) else None

    def is_map(self, name: str) -> bool:
        """Whether a property is an object, not a list."""
        declared = self._deref(self.body.get("properties", {}).get(name, {}))
        return declared.get("type") == "object"

    def _paths(self, member: str) -> list[str]:
        return self.body.get(member, [])

    def _top_level(self, member: str) -> frozenset[str]:
        parts = (path.split("/") for path in self._paths(member))
        return frozenset(part[2] for part in parts if len(part) == 3)

    def conform(self, properties: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The properties with scalars turned to the types of the schema ("80" to 80), and every problem found,
        in AWS's words."""
        problems: list[str] = []
        fitted = self._fit(properties, self.body, "#", problems)
        return fitted, problems

    def _fit(self, value: Any, schema: dict[str, Any], path: str, problems: list[str]) -> Any:
        schema = self._deref(schema)
        if isinstance(value, dict):
            return self._fit_object(value, schema, path, problems)
        if isinstance(value, list):
            items = schema.get("items") or {}
            return [self._fit(item, items, f"{path}/{i}", problems) for i, item in enumerate(value)]
        return _scalar(value, schema.get("type"), path, problems)

    def _fit_object(
        self, value: dict[str, Any], schema: dict[str, Any], path: str, problems: list[str]
    ) -> dict[str, Any]:
        known = schema.get("properties", {})
        if known and schema.get("additionalProperties") is False and not schema.get("patternProperties"):
            problems.extend(
                f"{path}: extraneous key [{key}] is not permitted" for key in value if key not in known
            )
        missing = [key for key in schema.get("required", ()) if key not in value]
        problems.extend(f"{path}: required key [{key}] not found" for key in missing)
        return {
            key: self._fit(item, known.get(key, {}), f"{path}/{key}", problems) for key, item in value.items()
        }

    def _deref(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            target: Any = self.body
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target.get(part, {})
            schema = target
        return schema


def schema_of(type: str) -> Schema | None:
    """The schema of a type, None for a type that the registry does not have."""
    name = _names().get(type)
    return _read(name) if name else None


@cache
def _read(name: str) -> Schema:
    return Schema(json.loads((_folder() / "resources" / f"{name}.json").read_text()))


@cache
def _names() -> dict[str, str]:
    return json.loads((_folder() / "providers" / f"{_REGION}.json").read_text())


@cache
def _folder() -> Path:
    spec = find_spec("cfnlint")  # found, not imported: cfn-lint itself is heavy
    if spec is None or spec.origin is None:
        raise RuntimeError("cfn-lint, which ships the resource schemas, is not installed")
    return Path(spec.origin).parent / "data" / "schemas"


def _scalar(value: Any, type: Any, path: str, problems: list[str]) -> Any:
    types = type if isinstance(type, list) else [type]
    if isinstance(value, str):
        return _from_text(value, types, path, problems)
    if types == ["string"] and isinstance(value, bool):
        return "true" if value else "false"
    if types == ["string"] and isinstance(value, int | float):
        return str(value)
    if types == ["boolean"] and not isinstance(value, bool):
        problems.append(
            f"{path}: expected type: Boolean, found: {'Integer' if isinstance(value, int) else 'Null'}"
        )
    return value


def _from_text(value: str, types: list[Any], path: str, problems: list[str]) -> Any:
    if types == ["boolean"]:
        if value.lower() not in ("true", "false"):
            problems.append(f"{path}: expected type: Boolean, found: String")
        return value.lower() == "true"
    if types in (["integer"], ["number"]) and not value.startswith("{{resolve:"):
        try:
            return int(value) if types == ["integer"] else float(value)
        except ValueError:
            problems.append(f"{path}: expected type: {types[0].title()}, found: String")
    if types in (["object"], ["array"]):
        problems.append(
            f"{path}: expected type: {'JSONArray' if types == ['array'] else 'JSONObject'}, found: String"
        )
    return value
