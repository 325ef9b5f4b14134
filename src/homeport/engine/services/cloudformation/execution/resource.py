"""One resource of a stack: made, changed or removed, in steps that a kill cannot lose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from homeport.engine.services.cloudformation.dynamic import resolve
from homeport.engine.services.cloudformation.environment import stack_environment
from homeport.engine.services.cloudformation.execution.signals import signals_answered
from homeport.engine.services.cloudformation.execution.work import ResourceFailed, Work
from homeport.engine.services.cloudformation.graph import references
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.policies import denied_by_policy
from homeport.engine.services.cloudformation.resources import find_provider, provider_of
from homeport.engine.services.cloudformation.resources.provider import Made, Request, ResourceProvider
from homeport.engine.services.cloudformation.schemas import schema_of
from homeport.engine.services.cloudformation.tables import RESOURCES, STACKS, Body
from homeport.engine.services.cloudformation.tagging import with_stack_tags
from homeport.engine.services.cloudformation.template import Resource
from homeport.engine.services.cloudformation.values import NO_VALUE, text
from homeport.engine.wire.errors import AwsError

T = TypeVar("T")

EVERY = 1.0

_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
_POLICY_ACTIONS = {"change": "Update:Modify", "replace": "Update:Replace"}


async def create(work: Work, resource: Resource) -> None:
    """Make a resource that the stack does not have. Raises ResourceFailed."""
    name = f"create.{resource.id}"

    async def decide() -> Body:
        work.begin(f"{name}.create")
        return await _desired(work, resource)

    def begin(desired: Body) -> None:
        row = {**_new_row(work, resource), **_without_error(desired)}
        if work.x.input["action"] != "create":
            row["before"] = None
        work.put(row, "CREATE_IN_PROGRESS")
        if "error" in desired:
            work.put(row, "CREATE_FAILED", desired["error"])

    desired = await work.x.step(f"{name}.begin", decide, begin)
    if "error" in desired:
        raise ResourceFailed(desired["error"])
    await _make(work, resource, work.row(resource.id) or {}, name, "CREATE")


async def update(work: Work, resource: Resource, before: Body, *, name: str = "") -> None:
    """Bring a resource that the stack has to what the template now says: nothing to do, changed in place, or
    replaced. `name` tells this change from others of the same resource in one update, after which a rollback brings
    back what was before the first. Raises ResourceFailed."""
    name = name or f"update.{resource.id}"

    async def decide() -> Body:
        work.begin(f"{name}.create")
        desired = await _desired(work, resource)
        what = "fail" if "error" in desired else _what(before, desired)
        if what in _POLICY_ACTIONS and (
            denied := denied_by_policy(work.stack, _POLICY_ACTIONS[what], before)
        ):
            return {**desired, "what": "fail", "error": denied}
        return {**desired, "what": what}

    def begin(decided: Body) -> None:
        what = decided["what"]
        desired = {key: value for key, value in _without_error(decided).items() if key != "what"}
        if what == "nothing":
            RESOURCES.put(work.ctx, {**before, **desired})
            return
        first = before.get("before") or before
        row = {**before, **desired, "before": first, "untouched": what != "change"}
        row.pop("drift", None)
        work.put(row, "UPDATE_IN_PROGRESS", _REPLACING if what == "replace" else None)
        if what == "fail":
            work.put(row, "UPDATE_FAILED", decided["error"])

    decided = await work.x.step(f"{name}.begin", decide, begin)
    if "error" in decided:
        raise ResourceFailed(decided["error"])
    row = work.row(resource.id) or {}
    if decided["what"] == "replace":
        await _make(work, resource, row, name, "UPDATE")
    elif decided["what"] == "change":
        await _change(work, row, name, before["properties"], "UPDATE")


async def restore(work: Work, row: Body) -> None:
    """Bring a resource back to what it was before the update: `row` still has its `before`. What the update made is
    put on the stack's list of obsolete resources. Raises ResourceFailed."""
    id, before = row["LogicalResourceId"], row["before"]
    name = f"restore.{id}"
    physical = row.get("PhysicalResourceId")
    if before is None or physical != before.get("PhysicalResourceId") or row.get("untouched"):

        def back() -> None:
            if physical and (before is None or physical != before.get("PhysicalResourceId")):
                _add_obsolete(work, row)
            if before is None:
                RESOURCES.delete(work.ctx, work.stack_id, id)
            else:
                work.put(dict(before), "UPDATE_COMPLETE")

        await work.x.record(name, back)
        return
    changed, row = row["properties"], {**before, "before": before}
    await work.x.record(f"{name}.begin", lambda: work.put(row, "UPDATE_IN_PROGRESS"))
    await _change(work, row, name, changed, "UPDATE")


async def delete(work: Work, row: Body, name: str, *, kept: bool = False) -> None:
    """Remove a resource. `name` tells this deletion from others of the same logical id; with `kept` the resource
    stays and only the stack forgets it. Raises ResourceFailed."""
    if kept:
        await work.x.record(f"{name}.skip", lambda: work.event(row, "DELETE_SKIPPED"))
        return

    async def now() -> float:
        return work.ctx.now()

    begun = await work.x.step(f"{name}.begin", now, lambda _: work.event(row, "DELETE_IN_PROGRESS"))
    step = f"{name}.delete"
    request = work.request(row, step, row.get("properties", {}))
    provider = provider_of(row["ResourceType"])

    async def effect() -> Made:
        if request.id:
            await provider.delete(request)

            async def gone() -> bool | None:
                return True if await provider.gone(request) else None

            await _wait(work, provider, request, begun, gone)
        return Made(request.id, {})

    def commit(outcome: Body) -> None:
        status = "DELETE_FAILED" if "error" in outcome else "DELETE_COMPLETE"
        work.event(row, status, outcome.get("error"))

    outcome = await work.x.step(step, lambda: work.attempt(request, effect), commit)
    if "error" in outcome:
        raise ResourceFailed(outcome["error"])


async def _make(work: Work, resource: Resource, row: Body, name: str, verb: str) -> None:
    """Make a new physical resource for the row, wait until it is of use, and write what it is."""
    provider = provider_of(row["ResourceType"])
    step = f"{name}.create"
    request = work.request({**row, "PhysicalResourceId": ""}, step, {})

    async def effect() -> Made:
        return await provider.create(await _with_secrets(request, row["properties"]))

    def made(outcome: Body) -> None:
        now = {**row}
        now["PhysicalResourceId"] = outcome.get("id") or (
            row.get("PhysicalResourceId") if verb == "UPDATE" else None
        )
        if "error" in outcome:
            work.put(now, f"{verb}_FAILED", outcome["error"])
            return
        now["attributes"] = outcome["attributes"]
        now.pop("untouched", None)
        work.put(now, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

    outcome = await work.x.step(step, lambda: work.attempt(request, effect), made)
    if "error" in outcome:
        raise ResourceFailed(outcome["error"])
    await _settle(work, provider, resource, name, verb)


async def _change(work: Work, row: Body, name: str, previous: Body, verb: str) -> None:
    """Change the row's physical resource from the previous properties to the row's."""
    provider = provider_of(row["ResourceType"])
    step = f"{name}.change"
    request = work.request(row, step, {}, previous)

    async def effect() -> Made:
        return await provider.update(await _with_secrets(request, row["properties"]))

    def changed(outcome: Body) -> None:
        if "error" in outcome:
            untouched = bool(outcome.get("untouched"))
            work.put({**row, "untouched": untouched}, f"{verb}_FAILED", outcome["error"])
            return
        now = {**row, "PhysicalResourceId": outcome["id"], "attributes": outcome["attributes"]}
        RESOURCES.put(work.ctx, now)

    outcome = await work.x.step(step, lambda: work.attempt(request, effect), changed)
    if "error" in outcome:
        raise ResourceFailed(outcome["error"])
    await _settle(work, provider, None, name, verb)


async def _settle(
    work: Work, provider: ResourceProvider, resource: Resource | None, name: str, verb: str
) -> None:
    id = name.partition(".")[2]
    row = work.row(id) or {}
    request = work.request(row, f"{name}.done", row.get("properties", {}))

    async def effect() -> Made:
        begun = row["Timestamp"]
        made = await _wait(work, provider, request, begun, lambda: provider.settled(request))
        if resource and resource.creation_policy:
            await signals_answered(work, resource)
        return made

    def commit(outcome: Body) -> None:
        now = work.row(id) or {}
        if "error" in outcome:
            if verb == "CREATE" and "id" in outcome:
                now["PhysicalResourceId"] = outcome["id"]
            work.put(now, f"{verb}_FAILED", outcome["error"])
            return
        now["PhysicalResourceId"], now["attributes"] = outcome["id"], outcome["attributes"]
        if name.startswith("restore."):
            now.pop("before", None)
        unused = provider.unused(now.get("properties", {})) if verb == "CREATE" else []
        work.put(now, f"{verb}_COMPLETE", f"homeport does not use {', '.join(unused)}." if unused else None)

    outcome = await work.x.step(f"{name}.done", lambda: work.attempt(request, effect), commit)
    if "error" in outcome:
        raise ResourceFailed(outcome["error"])


async def _wait(
    work: Work,
    provider: ResourceProvider,
    request: Request,
    begun: float,
    ask: Callable[[], Awaitable[T | None]],
) -> T:
    """Ask until there is an answer, as long as the provider has patience. Raises AwsError after that."""
    try:
        return await work.poll(ask, EVERY, begun + provider.patience(request) - work.ctx.now())
    except TimeoutError:
        raise provider.overdue(request) from None


async def _desired(work: Work, resource: Resource) -> Body:
    """What the row of a resource holds of the template, evaluated now that all it needs is there."""
    try:
        await _read_anew(work, resource)
        return _evaluated(work, resource)
    except AwsError as error:
        return {"error": error.message}


async def _read_anew(work: Work, resource: Resource) -> None:
    """Read the attributes of resources that are referred to where those change as others are made."""
    for id in sorted(references(resource.properties)):
        row = work.row(id)
        if row and row.get("PhysicalResourceId") and provider_of(row["ResourceType"]).grows:
            read = await provider_of(row["ResourceType"]).settled(
                work.request(row, "read", row["properties"])
            )
            if read:
                RESOURCES.put(work.ctx, {**row, "attributes": read.attributes})


def _evaluated(work: Work, resource: Resource) -> Body:
    stack = work.stack
    env = stack_environment(work.ctx, stack)
    properties = evaluate(resource.properties, env)
    if not isinstance(properties, dict):
        raise AwsError("ValidationError", f"Properties of {resource.id} must be an object.")
    properties = with_stack_tags(resource.type, properties, stack.get("Tags", []))
    schema = schema_of(resource.type)
    if schema:
        properties, problems = schema.conform(properties)
        if problems:
            raise AwsError(
                "ValidationError",
                f"Properties validation failed for resource {resource.id} with message:\n"
                + "\n".join(problems),
            )
    needed = {*resource.depends_on, *references(resource.properties)}
    policies = {
        "DeletionPolicy": resource.deletion_policy,
        "UpdateReplacePolicy": resource.update_replace_policy,
    }
    return {
        "properties": properties,
        "needs": sorted(needed & set(stack["template"]["Resources"])),
        **{
            name: None if (value := evaluate(policy, env)) is NO_VALUE else value
            for name, policy in policies.items()
        },
        "Metadata": resource.metadata,
    }


def _what(before: Body, desired: Body) -> str:
    if before["properties"] == desired["properties"] and before["ResourceStatus"].endswith("_COMPLETE"):
        return "nothing"
    provider = provider_of(before["ResourceType"])
    return "replace" if provider.replaces(before["properties"], desired["properties"]) else "change"


def _new_row(work: Work, resource: Resource) -> Body:
    row: Body = {
        "StackId": work.stack_id,
        "StackName": work.stack["StackName"],
        "LogicalResourceId": resource.id,
        "PhysicalResourceId": None,
        "ResourceType": resource.type,
        "properties": {},
        "attributes": {},
        "needs": [],
    }
    if find_provider(resource.type) is None:
        row["inert"] = True
    return row


def _without_error(outcome: Body) -> Body:
    return {key: value for key, value in outcome.items() if key != "error"}


async def _with_secrets(request: Request, properties: Body) -> Request:
    """The request with dynamic references resolved, with the stack's permissions."""
    return replace(request, properties=await resolve(properties, request.client))


def _add_obsolete(work: Work, row: Body) -> None:
    stack = work.stack
    kept = {key: value for key, value in row.items() if key != "before"}
    stack.setdefault("obsolete", []).append(kept)
    STACKS.put(work.ctx, stack)


def is_kept(row: Body, policy: str, *, created_now: bool = False) -> bool:
    """Whether a policy keeps the resource when the stack lets go of it."""
    value = text(row.get(policy) or "Delete")
    return value == "Retain" or (value == "RetainExceptOnCreate" and not created_now)
