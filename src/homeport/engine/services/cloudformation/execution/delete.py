"""Deleting a stack, and the resources that an operation leaves over: who needs a resource goes before it."""

from __future__ import annotations

from homeport.engine.services.cloudformation.execution import resource
from homeport.engine.services.cloudformation.execution.outputs import forget_outputs
from homeport.engine.services.cloudformation.execution.work import Work
from homeport.engine.services.cloudformation.graph import Graph, find_circle, reverse
from homeport.engine.services.cloudformation.tables import RESOURCES, STACKS, Body, set_status


async def delete_stack(work: Work) -> None:
    """Carry out the deletion of a stack whose row says DELETE_IN_PROGRESS."""
    await _wait_for_others(work)
    failures = await delete_resources(work, "delete", retained=work.x.input.get("retained", ()))
    if failures:
        await work.status(
            "end", "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failures)}]. "
        )
        return

    if work.stack.get("template", {}).get("Hooks"):
        await work.x.step("hook", lambda: _forget_deployments(work))

    def commit() -> None:
        forget_outputs(work.ctx, work.stack_id)
        set_status(work.ctx, work.stack, "DELETE_COMPLETE")

    await work.x.record("end", commit)


async def _forget_deployments(work: Work) -> None:
    """Let CodeDeploy forget the deployments of the stack's hook."""
    codedeploy = work.ctx.client("codedeploy", as_service=True)
    await codedeploy.delete_resources_by_external_id(externalId=work.stack_id)


async def delete_resources(
    work: Work, name: str, *, retained: tuple[str, ...] = (), created_now: bool = False
) -> dict[str, str]:
    """Delete all resources of the stack but those that a policy or `retained` keeps. Answers the failures."""

    async def everything() -> list[Body]:
        return _deletable(RESOURCES.list(work.ctx, work.stack_id), work.stack.get("obsolete", []))

    rows = await work.x.step(f"{name}.plan", everything)
    by_key = {_key(row, index): row for index, row in enumerate(rows)}

    async def visit(key: str) -> None:
        row = by_key[key]
        id = row["LogicalResourceId"]
        kept = id in retained or resource.is_kept(row, "DeletionPolicy", created_now=created_now)
        await resource.delete(work, row, f"{name}.{key}", kept=kept)
        await work.x.record(f"{name}.{key}.forget", lambda: _forget(work, row, kept))

    failures = await work.walk(f"{name}.walk", reverse(_graph(by_key)), visit, keep_going=True)
    return {by_key[key]["LogicalResourceId"]: reason for key, reason in failures.items()}


async def clean_up(work: Work, name: str) -> None:
    """Delete the resources that the stack lists as obsolete. What cannot be deleted is left, as on AWS, and its event
    says why."""

    async def everything() -> list[Body]:
        return work.stack.get("obsolete", [])

    rows = await work.x.step(f"{name}.plan", everything)
    by_key = {_key(row, index): row for index, row in enumerate(rows)}

    async def visit(key: str) -> None:
        row = by_key[key]
        policy = "DeletionPolicy" if row.get("dropped") else "UpdateReplacePolicy"
        kept = name == "cleanup" and resource.is_kept(row, policy)
        await resource.delete(work, row, f"{name}.{key}", kept=kept)

    await work.walk(f"{name}.walk", reverse(_graph(by_key)), visit, keep_going=True)

    def forget() -> None:
        stack = work.stack
        stack["obsolete"] = []
        STACKS.put(work.ctx, stack)

    await work.x.record(f"{name}.forget", forget)


def _deletable(rows: list[Body], obsolete: list[Body]) -> list[Body]:
    return [row for row in [*rows, *obsolete] if row["ResourceStatus"] != "DELETE_COMPLETE"]


def _forget(work: Work, row: Body, kept: bool) -> None:
    now = work.row(row["LogicalResourceId"])
    if now and now.get("PhysicalResourceId") == row.get("PhysicalResourceId"):
        now["ResourceStatus"] = "DELETE_SKIPPED" if kept else "DELETE_COMPLETE"
        now["Timestamp"] = work.ctx.now()
        RESOURCES.put(work.ctx, now)


def _key(row: Body, index: int) -> str:
    return f"{row['LogicalResourceId']}.{index}"


def _graph(by_key: dict[str, Body]) -> Graph:
    """Who needs whom among these. Resources of an old and a new template may need each other in a circle: then the
    order of their listing decides."""
    keys: dict[str, list[str]] = {}
    for key, row in by_key.items():
        keys.setdefault(row["LogicalResourceId"], []).append(key)
    graph: Graph = {
        key: frozenset(other for need in row.get("needs", ()) for other in keys.get(need, ()) if other != key)
        for key, row in by_key.items()
    }
    if find_circle(graph):
        order = list(by_key)
        graph = {key: frozenset(order[:index]) for index, key in enumerate(order)}
    return graph


async def _wait_for_others(work: Work) -> None:
    """Wait until the operation that the deletion has cancelled has ended."""
    earlier = work.x.input.get("after")
    if not earlier:
        return
    runner = work.ctx.engine.runner

    async def ended() -> bool | None:
        return True if not runner.running(work.x.kind, work.ctx.scope, earlier) else None

    await work.poll(ended, 0.2, 3600)

    def again() -> None:
        stack = work.stack
        if stack["StackStatus"] != "DELETE_IN_PROGRESS":
            set_status(work.ctx, stack, "DELETE_IN_PROGRESS")

    await work.x.record("go-on", again)
