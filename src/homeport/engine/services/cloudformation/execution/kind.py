"""The stack operation as durable work."""

from __future__ import annotations

import logging

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.cloudformation.execution.create import create_stack
from homeport.engine.services.cloudformation.execution.delete import delete_stack
from homeport.engine.services.cloudformation.execution.rollback import roll_back, roll_back_creation
from homeport.engine.services.cloudformation.execution.update import update_stack
from homeport.engine.services.cloudformation.execution.work import Work
from homeport.engine.services.cloudformation.tables import STACKS, set_status

log = logging.getLogger(__name__)

_ACTIONS = {
    "create": create_stack,
    "update": update_stack,
    "delete": delete_stack,
    "rollback": roll_back,
    "rollback-creation": roll_back_creation,
}
_FAILED = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
}


async def _run(x: Execution) -> None:
    await _ACTIONS[x.input["action"]](Work(x))


async def _failed(x: Execution, error: Exception) -> None:
    log.error("%s of %s failed", x.input["action"], x.input["stack"], exc_info=error)
    stack = STACKS.get(x.ctx, x.input["stack"])
    if stack and stack["StackStatus"].endswith("_IN_PROGRESS"):
        status = _FAILED.get(stack["StackStatus"], "UPDATE_ROLLBACK_FAILED")
        with x.ctx.store.transaction():
            set_status(
                x.ctx, stack, status, "Internal Failure: homeport failed; the engine's log has the reason."
            )


OPERATION = ExecutionKind("cloudformation.operation", _run, _failed)
"""Its input: `stack` (the id), `action`, `principal`, `role`, and what the action needs."""
