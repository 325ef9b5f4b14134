"""Planning an update of a stack with the hook AWS::CodeDeploy::BlueGreen: whether it needs a green deployment.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/about-blue-green-deployments.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from homeport.engine.services.cloudformation import planning
from homeport.engine.services.cloudformation.blue_green.colours import (
    colour_of,
    coloured,
    routes,
    same_shares,
    shared,
)
from homeport.engine.services.cloudformation.blue_green.hook import (
    TRANSFORM,
    BlueGreenHook,
    failed,
    not_transformed,
    read_hook,
)
from homeport.engine.services.cloudformation.changes import Change
from homeport.engine.services.cloudformation.changesets import changes_of
from homeport.engine.services.cloudformation.graph import references
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.planning import Plan
from homeport.engine.services.cloudformation.tables import RESOURCES, Body
from homeport.engine.services.cloudformation.template import Template
from homeport.engine.services.context import Context

_TYPES = {
    "service": "AWS::ECS::Service",
    "production": "AWS::ElasticLoadBalancingV2::Listener",
    "test": "AWS::ElasticLoadBalancingV2::Listener",
}
_LAYER_4 = ("TCP", "UDP", "TLS", "TCP_UDP")


async def plan(ctx: Context, request: Mapping[str, Any], stack: Body, *, expand: bool) -> Plan:
    """Plan a stack, see `planning.plan`. The template of one with the hook is that of the colour that the stack is to
    have; `green` among the members says what a green deployment needs to know, None when there is none."""
    made = await planning.plan(ctx, request, stack, expand=expand)
    made.members["green"] = None
    hook = read_hook(made.template, made.env)
    if hook is None:
        return made
    _check(ctx, made.template, hook)
    rows = RESOURCES.list(ctx, stack["StackId"])
    present = {
        row["LogicalResourceId"]: row for row in rows if not row["ResourceStatus"].startswith("DELETE_")
    }
    colour = colour_of(present, hook)
    if colour is None:
        return made
    unmoved = _with_body(made, _as_it_is(coloured(made.template.body, hook, colour), stack, hook))
    changes = changes_of(ctx, stack, unmoved)
    application = (hook.definitions[colour], hook.task_sets[colour])
    replaced = [
        each for each in changes if each.id in application and each.replacement in ("True", "Conditional")
    ]
    if not replaced:
        return unmoved
    if refused := _refusal(made, hook, changes, replaced, application):
        return replace(unmoved, refused=failed(hook.id, refused))
    green = 1 - colour
    body = coloured(made.template.body, hook, green)
    resources = {
        id: shared(resource, hook, green, 100) if id in routes(body, hook) else resource
        for id, resource in body["Resources"].items()
    }
    moved = _with_body(made, {**body, "Resources": resources})
    moved.members["green"] = {
        "hook": asdict(hook),
        "colour": green,
        "install": [hook.definitions[green], hook.task_sets[green]],
        "production": routes(body, hook, (hook.production,)),
        "test": routes(body, hook, (hook.test,)) if hook.test else [],
    }
    return moved


def _with_body(made: Plan, body: Body) -> Plan:
    template = made.template.with_body(body)
    return replace(made, template=template, members={**made.members, "template": body})


def _as_it_is(body: Body, stack: Body, hook: BlueGreenHook) -> Body:
    """Listeners whose shares are those that the last deployment left are left as they are."""
    before = stack["template"].get("Resources", {})
    kept = {
        id: before[id]
        for id in routes(body, hook)
        if id in before and same_shares(before[id], body["Resources"][id], hook)
    }
    return {**body, "Resources": {**body["Resources"], **kept}}


def _check(ctx: Context, template: Template, hook: BlueGreenHook) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/blue-green-considerations.html"""
    resources = template.resources
    if ctx.call is not None and ctx.call.invoked_by == "cloudformation.amazonaws.com":
        raise not_transformed("The hook AWS::CodeDeploy::BlueGreen cannot be used in a nested stack.")
    if nested := [id for id, each in resources.items() if each.type == "AWS::CloudFormation::Stack"]:
        raise not_transformed(
            f"The hook AWS::CodeDeploy::BlueGreen cannot be used in a template with nested stacks: {', '.join(nested)}."
        )
    if template.section("Outputs"):
        raise not_transformed(
            "Declaring Outputs is not supported for templates that define blue/green deployments."
        )
    if '"Fn::ImportValue"' in json.dumps(template.body):
        raise not_transformed(
            "Fn::ImportValue is not supported for templates that define blue/green deployments."
        )
    for member, type in _TYPES.items():
        id = getattr(hook, member)
        if id is not None and (id not in resources or resources[id].type != type):
            raise _unparsed(id, f"The hook needs it to be of the type {type}.")
    for id in hook.groups:
        if id not in resources or resources[id].type != "AWS::ElasticLoadBalancingV2::TargetGroup":
            raise _unparsed(
                id, "The hook needs it to be of the type AWS::ElasticLoadBalancingV2::TargetGroup."
            )
    for pair, type in ((hook.definitions, "AWS::ECS::TaskDefinition"), (hook.task_sets, "AWS::ECS::TaskSet")):
        there = [id for id in pair if id in resources]
        if len(there) != 1 or resources[there[0]].type != type:
            raise _unparsed(
                pair[0], f"Of {' and '.join(pair)} the template must have one, of the type {type}."
            )
    if (hook.task_sets[0] in resources) != (hook.definitions[0] in resources):
        raise _unparsed(
            hook.definitions[0], "The task definition and the task set must be both blue, or both green."
        )
    controller = (resources[hook.service].properties.get("DeploymentController") or {}).get("Type")
    if controller != "EXTERNAL":
        raise _unparsed(hook.service, "Its DeploymentController must be of the Type EXTERNAL.")
    for listener in filter(None, (hook.production, hook.test)):
        if listener not in routes(template.body, hook, (listener,)):
            raise _unparsed(listener, "None of its DefaultActions forwards to a target group of the hook.")
        if resources[listener].properties.get("Protocol") in _LAYER_4 and hook.routing["type"] != "AllAtOnce":
            raise _unparsed(
                listener, "Behind a Network Load Balancer, TrafficRoutingConfig.Type must be AllAtOnce."
            )


def _unparsed(id: str, why: str) -> Exception:
    return not_transformed(
        f'Failed to parse the template resource "Resources->{id}". Please validate the template configuration. {why}'
    )


def _refusal(
    made: Plan,
    hook: BlueGreenHook,
    changes: list[Change],
    replaced: list[Change],
    application: tuple[str, str],
) -> str | None:
    """Why the hook cannot carry out the update: it is more, or something else, than a green deployment."""
    if TRANSFORM not in made.transforms:
        id = replaced[0].id
        kind = "TaskDefinition" if id in hook.definitions else "TaskSet"
        return (
            f"The {kind} logical Id [{id}] is the same between initial and final template, CodeDeploy can't perform "
            "BlueGreen style update properly"
        )
    others = [each.id for each in changes if each.id not in application and not _follows(each)]
    if others:
        return (
            "Additional resource diff other than ECS application related resource update is detected, CodeDeploy can't "
            f"perform BlueGreen style update properly. Diff resource logical Ids: [{', '.join(others)}]"
        )
    if hidden := sorted(set(_hidden(made, hook))):
        return (
            "Values that CloudFormation hides cannot be part of a green deployment, neither parameters with NoEcho nor "
            f"dynamic references: [{', '.join(hidden)}]"
        )
    return None


def _follows(change: Change) -> bool:
    """Whether a resource changes only because it refers to what changes."""
    return change.action == "Modify" and all(each.evaluation == "Dynamic" for each in change.properties)


def _hidden(made: Plan, hook: BlueGreenHook) -> Iterator[str]:
    for id in made.template.resources.keys() & {*hook.definitions, *hook.task_sets}:
        resource = made.template.resources[id]
        for name in references(resource.properties):
            if name in made.parameters and made.parameters[name].no_echo:
                yield name
        if "{{resolve:" in json.dumps(evaluate(resource.properties, made.env), default=str):
            yield id
