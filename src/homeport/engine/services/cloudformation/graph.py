"""Which resource depends on which: by Ref, Fn::GetAtt, Fn::Sub and DependsOn.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from homeport.engine.services.cloudformation.errors import format_error, invalid, template_error
from homeport.engine.services.cloudformation.intrinsics import function_of, split_attribute, substitutions
from homeport.engine.services.cloudformation.template import Resource, Template

Graph = dict[str, frozenset[str]]
"""For every resource, the resources that must be there before it."""
_LISTENERS = ("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule")


def dependencies(resources: Mapping[str, Resource], conditions: Mapping[str, bool]) -> Graph:
    """The graph of the resources that the conditions let be. Raises ValidationError for a circle."""
    live = {
        id: item for id, item in resources.items() if item.condition is None or conditions[item.condition]
    }
    graph: Graph = {}
    for id, item in live.items():
        named = {*item.depends_on, *references(_taken(item.properties, conditions))}
        graph[id] = frozenset(name for name in named if name in live)
    circle = find_circle(graph)
    if circle:
        raise invalid(f"Circular dependency between resources: [{', '.join(circle)}]")
    ordered = {id: needs | _in_front(live[id], live) for id, needs in graph.items()}
    return graph if find_circle(ordered) else ordered


def _in_front(item: Resource, live: Mapping[str, Resource]) -> frozenset[str]:
    """The listeners of a task set's target groups. ECS takes only groups that have one, and AWS's own templates of
    blue/green deployments do not say that a task set depends on its listener."""
    if item.type != "AWS::ECS::TaskSet":
        return frozenset()
    groups = set(references(item.properties.get("LoadBalancers")))
    return frozenset(
        id
        for id, other in live.items()
        if other.type in _LISTENERS and groups & set(references(other.properties)) & set(live)
    )


def check_references(template: Template) -> None:
    """Raise ValidationError for references to what the template does not have."""
    resources, parameters = template.section("Resources"), template.section("Parameters")
    known = {*resources, *parameters}
    for block in ("Resources", "Outputs"):
        named = dict.fromkeys(references(template.section(block)))
        if block == "Resources":
            named |= {name: None for item in template.resources.values() for name in item.depends_on}
        missing = [name for name in named if name not in known and not name.startswith("AWS::")]
        if missing:
            raise format_error(
                f"Unresolved resource dependencies [{', '.join(missing)}] in the {block} block of the template"
            )
        attributes = (name for name in _attribute_owners(template.section(block)) if name not in resources)
        if owner := next(attributes, None):
            raise template_error(f"instance of Fn::GetAtt references undefined resource {owner}")
        _check_conditions(template, block)


def references(value: Any) -> Iterator[str]:
    """Names that a value refers to: parameters, pseudo parameters and resources."""
    function = function_of(value)
    if function == "Ref":
        yield str(value["Ref"])
    elif function == "Fn::GetAtt":
        id, attribute = split_attribute(value["Fn::GetAtt"])
        yield id
        yield from references(attribute)
    elif function == "Fn::Sub":
        argument = value["Fn::Sub"]
        template, given = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if isinstance(template, str):
            yield from (name.split(".")[0] for name in substitutions(template) if name not in given)
        yield from references(given)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from references(item)


def find_circle(graph: Graph) -> list[str]:
    """The resources of circles, sorted; none when the graph can be ordered."""
    left = {id: set(needs) for id, needs in graph.items()}
    while ready := [id for id, needs in left.items() if not needs]:
        for id in ready:
            del left[id]
        for needs in left.values():
            needs.difference_update(ready)
    # what remains is in a circle, or behind one: take away what nothing else needs
    while behind := [id for id in left if not any(id in needs for needs in left.values())]:
        for id in behind:
            del left[id]
    return sorted(left)


def reverse(graph: Graph) -> Graph:
    """The order of deletion: who is needed goes after who needs it."""
    return {id: frozenset(other for other, needs in graph.items() if id in needs) for id in graph}


def _taken(value: Any, conditions: Mapping[str, bool]) -> Any:
    """The value with only those branches of Fn::If that are taken."""
    if isinstance(value, dict):
        branches = value.get("Fn::If") if len(value) == 1 else None
        if isinstance(branches, list) and len(branches) == 3 and branches[0] in conditions:
            return _taken(branches[1 if conditions[branches[0]] else 2], conditions)
        return {key: _taken(item, conditions) for key, item in value.items()}
    if isinstance(value, list):
        return [_taken(item, conditions) for item in value]
    return value


def _attribute_owners(value: Any) -> Iterator[str]:
    if function_of(value) == "Fn::GetAtt":
        yield split_attribute(value["Fn::GetAtt"])[0]
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _attribute_owners(item)


def _check_conditions(template: Template, block: str) -> None:
    known = template.section("Conditions")
    for item in template.section(block).values():
        named = item.get("Condition") if isinstance(item, dict) else None
        for name in (*((named,) if named else ()), *_conditions_of(item)):
            if name not in known:
                raise format_error(
                    f"Unresolved condition dependency {name} in the {block} block of the template"
                )


def _conditions_of(value: Any) -> Iterator[str]:
    if function_of(value) == "Fn::If":
        argument = value["Fn::If"]
        if isinstance(argument, list) and argument and isinstance(argument[0], str):
            yield argument[0]
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _conditions_of(item)
