"""Making a stack: all resources, independent ones at the same time; when one fails, what was made goes away again."""

from __future__ import annotations

from collections.abc import Callable

from homeport.engine.services.cloudformation.environment import stack_environment, stack_template
from homeport.engine.services.cloudformation.execution import resource, triggers
from homeport.engine.services.cloudformation.execution.delete import delete_resources
from homeport.engine.services.cloudformation.execution.outputs import evaluate_outputs, write_outputs
from homeport.engine.services.cloudformation.execution.work import Work
from homeport.engine.services.cloudformation.graph import dependencies
from homeport.engine.services.cloudformation.tables import Body, set_status
from homeport.engine.wire.errors import AwsError


async def create_stack(work: Work) -> None:
    """Carry out the creation of a stack whose row says CREATE_IN_PROGRESS."""
    stack = work.stack
    template = stack_template(stack)
    graph = dependencies(template.resources, stack_environment(work.ctx, stack).conditions)
    work.cancellable = True
    triggers.watch(work)
    if minutes := stack.get("TimeoutInMinutes"):
        work.deadline = stack["CreationTime"] + 60.0 * minutes
    failures = await work.walk("walk", graph, lambda id: resource.create(work, template.resources[id]))
    reason = failed_reason("create", failures) if failures else await triggers.monitor(work)
    work.cancellable, work.deadline = False, None
    reason = reason or await finish(work, "CREATE_COMPLETE")
    if reason is None or work.x.stop_reason() is not None:
        return  # a deletion has stopped it, and goes on from here with the status that it has given the stack
    how = work.x.input.get("on_failure") or "ROLLBACK"
    if how == "DO_NOTHING":
        await work.status("failed", "CREATE_FAILED", reason)
    elif how == "DELETE":
        await work.status("delete", "DELETE_IN_PROGRESS", f"{reason} Delete requested by user.")
        await delete_all(work, "DELETE")
    else:
        await work.status("rollback", "ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
        await delete_all(work, "ROLLBACK")


async def delete_all(work: Work, verb: str) -> None:
    """Take back what a failed creation has made: `verb` is ROLLBACK or DELETE."""
    failures = await delete_resources(work, "undo", created_now=True)
    if failures:
        await work.status("end", f"{verb}_FAILED", failed_reason("delete", failures))
    else:
        await work.status("end", f"{verb}_COMPLETE")


def failed_reason(verb: str, failures: dict[str, str]) -> str:
    """`The following resource(s) failed to create: [A, B]. `"""
    return f"The following resource(s) failed to {verb}: [{', '.join(failures)}]. "


async def finish(work: Work, status: str, also: Callable[[], None] | None = None) -> str | None:
    """Write outputs, exports and the stack's status together; the reason when the outputs cannot be had. `also` writes
    what goes with them."""

    async def outputs() -> Body:
        try:
            return {"outputs": evaluate_outputs(work.ctx, work.stack)}
        except AwsError as error:
            return {"error": error.message}

    def commit(outcome: Body) -> None:
        if "error" not in outcome:
            stack = work.stack
            write_outputs(work.ctx, stack, outcome["outputs"])
            set_status(work.ctx, stack, status)
            if also:
                also()

    outcome = await work.x.step("finish", outputs, commit)
    return outcome.get("error")
