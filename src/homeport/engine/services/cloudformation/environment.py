"""What a stack's functions look up: parameters, pseudo parameters, conditions, and the resources that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homeport.engine.services.cloudformation.conditions import evaluate_conditions
from homeport.engine.services.cloudformation.errors import invalid, template_error
from homeport.engine.services.cloudformation.parameters import Parameter
from homeport.engine.services.cloudformation.tables import EXPORTS, RESOURCES, Body
from homeport.engine.services.cloudformation.template import Template
from homeport.engine.services.cloudformation.values import UNKNOWN, Environment
from homeport.engine.services.context import Context


def static_environment(
    ctx: Context, template: Template, parameters: Mapping[str, Parameter], stack: Body
) -> Environment:
    """What is known before any resource is made. `stack` needs its name, id and notification ARNs."""
    values: dict[str, Any] = {
        "AWS::AccountId": ctx.account,
        "AWS::NotificationARNs": stack.get("NotificationARNs", []),
        "AWS::Partition": "aws",
        "AWS::Region": ctx.region,
        "AWS::StackId": stack["StackId"],
        "AWS::StackName": stack["StackName"],
        "AWS::URLSuffix": "amazonaws.com",
        **{name: parameter.reference for name, parameter in parameters.items()},
    }
    env = Environment(
        parameters=values,
        mappings=template.section("Mappings"),
        exported=lambda name: _exported(ctx, name),
        zones=lambda region: stack.get("zones", {}).get(region, UNKNOWN),
    )
    return replace(env, conditions=evaluate_conditions(template.section("Conditions"), env))


def stack_parameters(stack: Body) -> dict[str, Parameter]:
    """The parameters that a stack's row holds."""
    return {item["name"]: Parameter(**item) for item in stack["parameters"]}


def stack_template(stack: Body) -> Template:
    """The template that a stack's row holds, after its transforms."""
    return Template(stack["template"])


def stack_environment(ctx: Context, stack: Body) -> Environment:
    """What the resources of a stack look up while they are made: what others are, by their rows."""
    stack_id = stack["StackId"]

    def reference(id: str) -> Any:
        row = RESOURCES.get(ctx, stack_id, id)
        if row is None or not row.get("PhysicalResourceId"):
            raise template_error(f"{id} is referred to, but it is not there")
        return row["PhysicalResourceId"]

    def attribute(id: str, name: str) -> Any:
        row = RESOURCES.get(ctx, stack_id, id)
        return attribute_of(row, id, name)

    static = static_environment(ctx, stack_template(stack), stack_parameters(stack), stack)
    return replace(static, reference=reference, attribute=attribute)


def attribute_of(row: Body | None, id: str, name: str) -> Any:
    """What Fn::GetAtt gives for a resource's row. Raises ValidationError for an attribute it does not have."""
    attributes: Body = (row or {}).get("attributes", {})
    if name in attributes:
        return attributes[name]
    stated = (row or {}).get("properties", {}).get(name)
    if isinstance(
        stated, str | int | list
    ):  # many types answer what the template states, such as a VPC's CidrBlock
        return stated
    if row and row.get("inert"):
        return f"{row['PhysicalResourceId']}-{name.replace('.', '-').lower()}"
    raise template_error(f"resource {id} does not support attribute type {name} in Fn::GetAtt")


def _exported(ctx: Context, name: str) -> Any:
    export = EXPORTS.get(ctx, name)
    if export is None:
        raise invalid(f"No export named {name} found.")
    return export["Value"]
