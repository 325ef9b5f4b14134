"""Updating a stack: resources are added, changed in place or replaced; then what is left over goes. When one fails,
everything goes back to what it was."""

from __future__ import annotations

from homeport.engine.services.cloudformation.environment import stack_environment, stack_template
from homeport.engine.services.cloudformation.execution import resource, triggers
from homeport.engine.services.cloudformation.execution.create import failed_reason, finish
from homeport.engine.services.cloudformation.execution.delete import clean_up
from homeport.engine.services.cloudformation.execution.green import GreenDeployment
from homeport.engine.services.cloudformation.execution.rollback import roll_back
from homeport.engine.services.cloudformation.execution.work import CANCELLED, Work
from homeport.engine.services.cloudformation.graph import dependencies
from homeport.engine.services.cloudformation.policies import denied_by_policy
from homeport.engine.services.cloudformation.tables import RESOURCES, STACKS, Body


async def update_stack(work: Work) -> None:
    """Carry out the update of a stack whose row says UPDATE_IN_PROGRESS and holds the new template."""
    stack = work.stack
    template = stack_template(stack)
    graph = dependencies(template.resources, stack_environment(work.ctx, stack).conditions)

    async def present() -> dict[str, Body]:
        rows = RESOURCES.list(work.ctx, work.stack_id)
        return {row["LogicalResourceId"]: row for row in rows if is_there(row)}

    before = await work.x.step("plan", present)

    async def visit(id: str) -> None:
        if id in before:
            await resource.update(work, template.resources[id], before[id])
        else:
            await resource.create(work, template.resources[id])

    failures = await _protected(work, before, set(graph))
    work.cancellable = True
    triggers.watch(work)
    if stack.get("green") and not failures:
        green = GreenDeployment(work, template, graph, before)
        reason = await green.carry_out(lambda failures: _reason(failures, before))
    else:
        failures = failures or await work.walk("walk", graph, visit)
        reason = _reason(failures, before) if failures else None
    reason = reason or await _monitored(work)
    work.cancellable = False
    if reason is None:
        reason = await finish(
            work, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", also=lambda: _drop(work, set(graph))
        )
    if reason is None:
        await clean_up(work, "cleanup")
        await work.x.record("settle", lambda: _settle(work))
        await work.status("end", "UPDATE_COMPLETE")
    elif work.x.input.get("on_failure") == "DO_NOTHING":
        await work.status("failed", "UPDATE_FAILED", reason)
    else:
        await work.status("rollback", "UPDATE_ROLLBACK_IN_PROGRESS", reason)
        await roll_back(work)


async def _monitored(work: Work) -> str | None:
    reason = await triggers.monitor(work)
    return "User Initiated" if reason == CANCELLED else reason


async def _protected(work: Work, before: dict[str, Body], wanted: set[str]) -> dict[str, str]:
    """The resources that the stack's policy does not let the update delete, with the reasons."""
    denied = {
        id: reason
        for id, row in before.items()
        if id not in wanted and (reason := denied_by_policy(work.stack, "Update:Delete", row))
    }

    def tell() -> None:
        for id, reason in denied.items():
            work.event(before[id], "UPDATE_FAILED", reason)

    await work.x.record("policy", tell)
    return denied


def is_there(row: Body) -> bool:
    """Whether a row is of a resource that the stack has."""
    return row["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def _reason(failures: dict[str, str], before: dict[str, Body]) -> str:
    if CANCELLED in failures.values():
        return "User Initiated"
    made = {id: reason for id, reason in failures.items() if id not in before}
    changed = {id: reason for id, reason in failures.items() if id in before}
    parts = [failed_reason(verb, some) for verb, some in (("create", made), ("update", changed)) if some]
    return "".join(parts)


def _drop(work: Work, wanted: set[str]) -> None:
    """List what the new template no longer has, and what was replaced, as obsolete."""
    stack = work.stack
    obsolete: list[Body] = stack.setdefault("obsolete", [])
    for row in RESOURCES.list(work.ctx, work.stack_id):
        before = row.get("before")
        if row["LogicalResourceId"] not in wanted:
            if is_there(row):
                obsolete.append({**row, "dropped": True})
        elif before and before.get("PhysicalResourceId") != row.get("PhysicalResourceId"):
            obsolete.append({**before, "UpdateReplacePolicy": row.get("UpdateReplacePolicy")})
    STACKS.put(work.ctx, stack)


def _settle(work: Work) -> None:
    """Forget what was before: the update can no longer be taken back."""
    stack = work.stack
    wanted = stack["template"]["Resources"]
    conditions = stack_environment(work.ctx, stack).conditions
    for row in RESOURCES.list(work.ctx, work.stack_id):
        id = row["LogicalResourceId"]
        condition = wanted[id].get("Condition") if id in wanted else None
        if id not in wanted or (condition and not conditions[condition]):
            RESOURCES.delete(work.ctx, work.stack_id, id)
        elif "before" in row:
            del row["before"]
            RESOURCES.put(work.ctx, row)
    stack.pop("before", None)
    STACKS.put(work.ctx, stack)
