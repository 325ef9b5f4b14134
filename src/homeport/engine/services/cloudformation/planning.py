"""From a request to a stack that can be made: its template read and transformed, its parameters bound, everything
checked that can be checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from homeport.engine.services.cloudformation import template as templates
from homeport.engine.services.cloudformation.capabilities import check_capabilities
from homeport.engine.services.cloudformation.environment import static_environment
from homeport.engine.services.cloudformation.errors import format_error, invalid, template_error
from homeport.engine.services.cloudformation.graph import check_references, dependencies
from homeport.engine.services.cloudformation.parameters import (
    Parameter,
    bind,
    check_declarations,
    with_resolved,
)
from homeport.engine.services.cloudformation.resources import find_provider
from homeport.engine.services.cloudformation.rules import check_rules
from homeport.engine.services.cloudformation.sources import read_source, read_text
from homeport.engine.services.cloudformation.tables import Body
from homeport.engine.services.cloudformation.template import Template, check_structure
from homeport.engine.services.cloudformation.transforms import transformed
from homeport.engine.services.cloudformation.values import Environment, text
from homeport.engine.services.context import Context

MAX_RESOURCES = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stack is to be."""

    source: str
    template: Template
    parameters: dict[str, Parameter]
    env: Environment
    members: Body
    """The members of the stack's row that this plan sets."""
    transforms: tuple[str, ...] = ()
    """Those that the template asked for."""
    refused: str = ""
    """Why the template's hook cannot carry it out."""


async def plan(ctx: Context, request: Mapping[str, Any], stack: Body, *, expand: bool) -> Plan:
    """Plan a stack from the members that CreateStack, UpdateStack and CreateChangeSet share. `stack` is the row as
    it is (for a new stack its name and id suffice); `expand` demands CAPABILITY_AUTO_EXPAND for transforms.

    Raises ValidationError, InsufficientCapabilitiesException.
    """
    source = await read_source(ctx, request, stack)
    template = templates.parse(source)
    check_declarations(template.section("Parameters"))
    parameters = bind(template.section("Parameters"), request.get("Parameters", ()), _previous(stack))
    parameters = await _resolve_ssm(ctx, parameters)
    zones = await _zones(ctx, source)
    known = {**stack, "zones": zones, "NotificationARNs": _notification_arns(request, stack)}
    check_capabilities(template, request.get("Capabilities", ()), expand=expand)
    transforms = tuple(template.transforms)
    template = await transform(ctx, template, parameters, known)
    check(ctx, template)
    env = static_environment(ctx, template, parameters, known)
    check_rules(template.section("Rules"), env)
    dependencies(template.resources, env.conditions)
    check_capabilities(template, request.get("Capabilities", ()), expand=False)
    members = {
        "source": source,
        "template": template.body,
        "parameters": [asdict(parameter) for parameter in parameters.values()],
        "zones": zones,
        "Description": text(template.body.get("Description") or ""),
        "Capabilities": list(request.get("Capabilities", ())),
        "NotificationARNs": known["NotificationARNs"],
        "Tags": request["Tags"] if "Tags" in request else stack.get("Tags", []),
    }
    return Plan(source, template, parameters, env, members, transforms)


async def transform(
    ctx: Context, template: Template, parameters: Mapping[str, Parameter], stack: Body
) -> Template:
    """The template after its transforms. Conditions may be made by them, so they are not evaluated yet."""
    bare = Template({**template.body, "Conditions": {}})
    env = static_environment(ctx, bare, parameters, stack)

    async def policies() -> dict[str, str]:
        answer = await ctx.client("iam", as_service=True).list_policies(Scope="AWS", MaxItems=1000)
        return {policy["PolicyName"]: policy["Arn"] for policy in answer["Policies"]}

    async def fetch(location: str) -> str:
        return await read_text(ctx, location)

    return await transformed(template, env, fetch, policies)


def check(ctx: Context, template: Template) -> None:
    """Check a transformed template as ValidateTemplate does; no parameter values are needed."""
    check_structure(template)
    check_references(template)
    if len(template.resources) > MAX_RESOURCES:
        raise format_error(
            f"Number of resources, {len(template.resources)}, is greater than maximum allowed, {MAX_RESOURCES}"
        )
    if not ctx.engine.config.inert_resources:
        _check_types(template)
    for resource in template.resources.values():
        for policy in (resource.deletion_policy, resource.update_replace_policy):
            if policy == "Snapshot":
                raise template_error(
                    f"resource type {resource.type} does not support deletion policy Snapshot"
                )


def _check_types(template: Template) -> None:
    unknown = [resource for resource in template.resources.values() if find_provider(resource.type) is None]
    if unknown:
        named = ", ".join(f"{resource.type} ({resource.id}, line {resource.line})" for resource in unknown)
        raise format_error(
            f"Unrecognized resource types: [{named}]. homeport does not make these; with HOMEPORT_INERT_RESOURCES=1 "
            "the engine records them as named resources that do nothing."
        )


def _previous(stack: Body) -> dict[str, str]:
    return {item["name"]: item["value"] for item in stack.get("parameters", ())}


def _notification_arns(request: Mapping[str, Any], stack: Body) -> list[str]:
    if "NotificationARNs" in request:
        return list(request["NotificationARNs"])
    return stack.get("NotificationARNs", [])


async def _resolve_ssm(ctx: Context, parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    names = sorted({parameter.ssm_name for parameter in parameters.values() if parameter.ssm_name})
    found: dict[str, str] = {}
    for start in range(0, len(names), 10):
        answer = await ctx.client("ssm").get_parameters(Names=names[start : start + 10])
        for parameter in answer["Parameters"]:
            if parameter["Type"] == "SecureString":
                raise invalid(
                    f"Parameters [{parameter['Name']}] referenced by template have types not supported by "
                    "CloudFormation."
                )
            found[parameter["Name"]] = found[parameter["ARN"]] = parameter["Value"]
    missing = [name for name in names if name not in found]
    if missing:
        raise invalid(
            f"Unable to fetch parameters [{','.join(missing)}] from parameter store for this account."
        )
    return with_resolved(parameters, found)


async def _zones(ctx: Context, source: str) -> dict[str, list[str]]:
    """The region's availability zones, asked for only when the template does."""
    if "GetAZs" not in source:
        return {}
    answer = await ctx.client("ec2", as_service=True).describe_availability_zones()
    return {ctx.region: sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])}
