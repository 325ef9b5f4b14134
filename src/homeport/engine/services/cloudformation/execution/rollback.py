"""Taking an update back: changed resources are changed back, replaced ones are taken up again, new ones go."""

from __future__ import annotations

from homeport.engine.services.cloudformation.execution import resource
from homeport.engine.services.cloudformation.execution.delete import clean_up, delete_resources
from homeport.engine.services.cloudformation.execution.work import Work
from homeport.engine.services.cloudformation.graph import Graph, find_circle
from homeport.engine.services.cloudformation.tables import RESOURCES, STACKS, Body, set_status


async def roll_back(work: Work) -> None:
    """Bring the stack, whose row says UPDATE_ROLLBACK_IN_PROGRESS, back to what it was before its update."""
    skipped = set(work.x.input.get("skipped", ()))

    async def touched() -> dict[str, Body]:
        rows = RESOURCES.list(work.ctx, work.stack_id)
        return {row["LogicalResourceId"]: row for row in rows if "before" in row}

    rows = await work.x.step("rollback.plan", touched)

    async def visit(id: str) -> None:
        if id in skipped:
            await work.x.record(f"restore.{id}.skip", lambda: _skip(work, rows[id]))
        else:
            await resource.restore(work, rows[id])

    failures = await work.walk("rollback.walk", _graph(rows), visit, keep_going=True)
    if failures:
        await work.status(
            "rollback.failed",
            "UPDATE_ROLLBACK_FAILED",
            f"The following resource(s) failed to update: [{', '.join(failures)}]. ",
        )
        return
    await work.x.record("rollback.back", lambda: _back(work))
    await clean_up(work, "rollback-cleanup")
    await work.status("rollback.end", "UPDATE_ROLLBACK_COMPLETE")


async def roll_back_creation(work: Work) -> None:
    """Carry out RollbackStack on a stack whose creation failed and was left as it was."""
    failures = await delete_resources(work, "undo", created_now=True)
    if failures:
        named = f"The following resource(s) failed to delete: [{', '.join(failures)}]. "
        await work.status("end", "ROLLBACK_FAILED", named)
    else:
        await work.status("end", "ROLLBACK_COMPLETE")


def _skip(work: Work, row: Body) -> None:
    """Leave a resource as it is, and say that it is as it was: the operator answers for it."""
    before = row["before"]
    if before is None:
        RESOURCES.delete(work.ctx, work.stack_id, row["LogicalResourceId"])
    else:
        work.put(dict(before), "UPDATE_COMPLETE")


def _back(work: Work) -> None:
    stack = work.stack
    stack.update(stack.pop("before", {}))
    set_status(work.ctx, stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    STACKS.put(work.ctx, stack)


def _graph(rows: dict[str, Body]) -> Graph:
    """Who needs whom by what they were before; all at once when that is a circle with what is new."""
    graph: Graph = {
        id: frozenset(need for need in (row["before"] or {}).get("needs", ()) if need in rows and need != id)
        for id, row in rows.items()
    }
    return {id: frozenset() for id in rows} if find_circle(graph) else graph
