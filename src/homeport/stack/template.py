"""The whole template: every part's resources, parameters, outputs and the user's overrides."""

from __future__ import annotations

import difflib
import re
from typing import Any

import yaml

from homeport.manifest.model import Manifest
from homeport.stack import alarms, build, network, pipeline, registry, scaling, service, source, storage
from homeport.stack.cloudformation import Resources, attribute, ref, sub

_PARTS = (network, registry, storage, source, build, service, scaling, alarms, pipeline)


class BadOverride(Exception):
    """Overrides of the manifest do not fit the template; each in a line."""


def synthesize(manifest: Manifest) -> dict[str, Any]:
    """The CloudFormation template of a manifest. Raises BadOverride."""
    resources: Resources = {}
    for part in _PARTS:
        resources |= part.resources(manifest)
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{manifest.app}: from a commit to production on ECS, made from homeport.yml",
        "Parameters": _parameters(manifest),
        **({"Conditions": conditions} if (conditions := scaling.conditions(manifest)) else {}),
        "Resources": resources,
        "Outputs": _outputs(manifest),
    }
    problems = []
    for name, body in manifest.override.resources.items():
        if name in resources:
            problems.append(
                f"override.resources.{name}: the template has this resource; change it by override.patch"
            )
        resources.setdefault(name, dict(body))
    for path, value in manifest.override.patch.items():
        try:
            _patch(template, path, value)
        except BadOverride as error:
            problems.append(str(error))
    if problems:
        raise BadOverride("\n".join(problems))
    return template


def render(template: dict[str, Any]) -> str:
    """The template as YAML."""
    return yaml.dump(template, Dumper=_Dumper, sort_keys=False, width=120)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Without anchors, which CloudFormation does not read; texts of several lines stand as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _parameters(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in manifest.environments:
        own = service.prefix(manifest, name)
        found[f"{own}Image"] = {
            "Type": "String",
            "Default": service.NO_IMAGE,
            "Description": f"Image of {name}; homeport deploy passes the one that runs",
        }
        found[f"{own}DesiredCount"] = {
            "Type": "Number",
            "Default": 0,
            "Description": f"Tasks of {name}; none until the first release, homeport deploy passes the present number",
        }
    return found


def _outputs(manifest: Manifest) -> dict[str, Any]:
    scheme = "https" if manifest.network.certificate else "http"
    found = source.outputs(manifest)
    for name in manifest.environments:
        own = service.prefix(manifest, name)
        url = sub(f"{scheme}://${{{own}LoadBalancer.DNSName}}")
        found[f"{own}Url"] = {"Description": f"where {name} answers", "Value": url}
        found[f"{own}ServiceName"] = {
            "Description": f"the service of {name}",
            "Value": attribute(f"{own}Service", "Name"),
        }
    found["PipelineName"] = {"Description": "the pipeline", "Value": ref("Pipeline")}
    found["ClusterName"] = {"Description": "the cluster", "Value": ref("Cluster")}
    found["RepositoryUri"] = {"Description": "the images", "Value": attribute("Repository", "RepositoryUri")}
    return found


def _patch(template: dict[str, Any], path: str, value: object) -> None:
    """Set the value at `Resources.Service.Properties.DesiredCount`; None removes it. Every step but the last must be
    there, so that a misspelt path is refused and not added."""
    *parents, last = path.split(".")
    node: Any = template
    for part in parents:
        key: Any = int(part) if isinstance(node, list) and re.fullmatch(r"\d+", part) else part
        known = range(len(node)) if isinstance(node, list) else node if isinstance(node, dict) else ()
        if key not in known:
            near = difflib.get_close_matches(part, [str(each) for each in known], 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise BadOverride(f"override.patch: {path}: the template has no {part!r} there{hint}")
        node = node[key]
    if isinstance(node, list) and last.isdecimal() and int(last) < len(node):
        node[int(last)] = (
            {"Ref": "AWS::NoValue"} if value is None else value
        )  # so that the others keep their numbers
    elif isinstance(node, dict) and value is None:
        node.pop(last, None)
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise BadOverride(f"override.patch: {path}: {last!r} cannot be set there")
