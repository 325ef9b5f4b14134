"""A template in one colour or the other. The template that a user writes has one task definition and one task set, and
its listeners lead to one target group; the one that CloudFormation carries out has the same under the other ids after
each deployment."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from homeport.engine.services.cloudformation.blue_green.hook import BlueGreenHook
from homeport.engine.services.cloudformation.intrinsics import SUBSTITUTION, split_attribute

Body = dict[str, Any]

_ACTIONS = {
    "AWS::ElasticLoadBalancingV2::Listener": "DefaultActions",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "Actions",
}


def colour_of(ids: Mapping[str, Any], hook: BlueGreenHook) -> int | None:
    """Which of the two task sets is among the ids: 0 or 1, None for neither."""
    return next((colour for colour, id in enumerate(hook.task_sets) if id in ids), None)


def coloured(body: Body, hook: BlueGreenHook, colour: int) -> Body:
    """The template with the task definition, the task set and the target group of that colour."""
    own = colour_of(body["Resources"], hook)
    if own is None or own == colour:
        return body
    other = 1 - own
    names = {pair[own]: pair[other] for pair in (hook.definitions, hook.task_sets)}
    groups = {hook.groups[own]: hook.groups[other], hook.groups[other]: hook.groups[own]}
    moved = {hook.task_sets[own], *routes(body, hook)}
    resources = {}
    for id, resource in body["Resources"].items():
        changed = _renamed(resource, {**names, **groups} if id in moved else names)
        resources[names.get(id, id)] = changed
    return {**body, "Resources": resources}


def routes(body: Body, hook: BlueGreenHook, listeners: tuple[str, ...] | None = None) -> list[str]:
    """The ids of the hook's listeners, or of `listeners` of them, and of their rules that lead to its target groups."""
    wanted = {hook.production, hook.test or hook.production} if listeners is None else listeners
    found = []
    for id, resource in body["Resources"].items():
        properties = resource.get("Properties") or {}
        listener = properties.get("ListenerArn")
        named = listener.get("Ref") if isinstance(listener, dict) else None
        if (id in wanted or named in wanted) and any(True for _ in _forwards(resource, hook)):
            found.append(id)
    return found


def shared(resource: Body, hook: BlueGreenHook, green: int, percent: int) -> Body:
    """A listener or a rule of one that gives so much of the traffic to the target group of the colour `green`."""
    made = copy.deepcopy(resource)
    weights = [(hook.groups[green], percent), (hook.groups[1 - green], 100 - percent)]
    for action in _forwards(made, hook):
        config = action.setdefault("ForwardConfig", {})
        config["TargetGroups"] = [{"TargetGroupArn": {"Ref": id}, "Weight": weight} for id, weight in weights]
        action.pop("TargetGroupArn", None)
    return made


def same_shares(one: Body, other: Body, hook: BlueGreenHook) -> bool:
    """Whether two states of a listener or of a rule differ in nothing, or only in how they write the same shares."""
    return _settled(one, hook) == _settled(other, hook)


def _settled(resource: Body, hook: BlueGreenHook) -> Body:
    made = copy.deepcopy(resource)
    for action in _forwards(made, hook):
        groups = _groups(action)
        weights = {json.dumps(each["TargetGroupArn"]): int(each.get("Weight", 1)) for each in groups}
        total = sum(weights.values())
        action["ForwardConfig"] = {
            **(action.get("ForwardConfig") or {}),
            "TargetGroups": {arn: weight / total for arn, weight in weights.items() if weight},
        }
        action.pop("TargetGroupArn", None)
    return made


def _forwards(resource: Body, hook: BlueGreenHook) -> Iterator[Body]:
    """The actions of a listener or a rule that lead to the hook's target groups."""
    actions = (resource.get("Properties") or {}).get(_ACTIONS.get(resource.get("Type", ""), ""))
    for action in actions if isinstance(actions, list) else []:
        if isinstance(action, dict) and action.get("Type") == "forward":
            arns = [each.get("TargetGroupArn") for each in _groups(action)]
            if any(isinstance(arn, dict) and arn.get("Ref") in hook.groups for arn in arns):
                yield action


def _groups(action: Body) -> list[Body]:
    config = action.get("ForwardConfig")
    listed = config.get("TargetGroups") if isinstance(config, dict) else None
    if isinstance(listed, list):
        return [each for each in listed if isinstance(each, dict)]
    return [{"TargetGroupArn": action["TargetGroupArn"]}] if "TargetGroupArn" in action else []


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with its references to resources (Ref, Fn::GetAtt, Fn::Sub, DependsOn) renamed."""
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _renamed_in(key, item, names) for key, item in value.items()}


def _renamed_in(key: str, item: Any, names: Mapping[str, str]) -> Any:
    if key in ("Ref", "DependsOn") and isinstance(item, str):
        return names.get(item, item)
    if key == "DependsOn" and isinstance(item, list):
        return [names.get(id, id) for id in item]
    if key == "Fn::GetAtt":
        id, attribute = split_attribute(item)
        return [names.get(id, id), _renamed(attribute, names)]
    if key == "Fn::Sub":
        text, values = (item[0], item[1:]) if isinstance(item, list) else (item, [])
        renamed = SUBSTITUTION.sub(lambda match: _substituted(match[1], match[2], names), str(text))
        return [renamed, *_renamed(values, names)] if values else renamed
    return _renamed(item, names)


def _substituted(literal: str, name: str, names: Mapping[str, str]) -> str:
    id, dot, attribute = name.strip().partition(".")
    return f"${{{literal}{id if literal else names.get(id, id)}{dot}{attribute}}}"
