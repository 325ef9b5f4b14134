"""What a planned update would change, resource by resource, before anything is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeport.engine.services.cloudformation.changes import Change, compare, replacement
from homeport.engine.services.cloudformation.drift.detection import as_it_is
from homeport.engine.services.cloudformation.environment import attribute_of
from homeport.engine.services.cloudformation.graph import dependencies
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.planning import Plan
from homeport.engine.services.cloudformation.schemas import schema_of
from homeport.engine.services.cloudformation.tables import RESOURCES, Body
from homeport.engine.services.cloudformation.tagging import with_stack_tags
from homeport.engine.services.cloudformation.values import UNKNOWN
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


def changes_of(ctx: Context, stack: Body, made: Plan, *, drifted: bool = False) -> list[Change]:
    """The changes, in the order of the template; removals last. `drifted`: from what the last drift detection found,
    not from what the stack was made of."""
    rows = {
        row["LogicalResourceId"]: now
        for row in RESOURCES.list(ctx, stack["StackId"])
        if row["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED")
        and (now := as_it_is(row) if drifted else row)
    }
    graph = dependencies(made.template.resources, made.env.conditions)
    changed: dict[str, Change] = {}
    for id in _ordered(graph):
        change = _change(id, made, rows, changed)
        if change:
            changed[id] = change
    added = [changed[id] for id in made.template.resources if id in changed]
    removed = [
        Change("Remove", id, row["ResourceType"], row.get("PhysicalResourceId"))
        for id, row in rows.items()
        if id not in graph
    ]
    return [*added, *removed]


def _change(id: str, made: Plan, rows: dict[str, Body], changed: dict[str, Change]) -> Change | None:
    resource = made.template.resources[id]
    row = rows.get(id)
    if row is None:
        return Change("Add", id, resource.type)
    after = _evaluated(id, made, rows, changed)
    properties = compare(resource.type, row["properties"], after)
    if not properties:
        return None
    physical = row.get("PhysicalResourceId")
    return Change("Modify", id, resource.type, physical, replacement(properties), properties)


def _evaluated(id: str, made: Plan, rows: dict[str, Body], changed: dict[str, Change]) -> dict[str, Any]:
    """The properties as far as they are known: what refers to something new or replaced is not."""

    def moved(other: str) -> bool:
        return other not in rows or (other in changed and changed[other].replacement != "False")

    def reference(other: str) -> Any:
        return UNKNOWN if moved(other) else rows[other]["PhysicalResourceId"]

    def attribute(other: str, name: str) -> Any:
        return UNKNOWN if moved(other) or other in changed else attribute_of(rows[other], other, name)

    env = replace(made.env, reference=reference, attribute=attribute)
    resource = made.template.resources[id]
    properties = evaluate(resource.properties, env)
    properties = with_stack_tags(resource.type, properties, made.members["Tags"])
    schema = schema_of(resource.type)
    if schema:
        properties, problems = schema.conform(properties)
        if problems:
            raise AwsError(
                "ValidationError",
                f"Properties validation failed for resource {id} with message:\n" + "\n".join(problems),
            )
    return properties


def _ordered(graph: dict[str, frozenset[str]]) -> list[str]:
    order: list[str] = []
    left = dict(graph)
    while left:
        ready = [id for id, needs in left.items() if needs <= set(order)]
        order += ready
        for id in ready:
            del left[id]
    return order
