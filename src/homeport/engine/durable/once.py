"""Work that is done once for a step, however often the step is repeated after kills.

What it does and the record of its answer are one transaction, so that a process that dies has done both or neither.
The answer is kept until the step is recorded. Work that waits for something cannot be in a transaction: it needs a
name or a token of its own by which what it made is found again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from homeport.engine.store.database import Store


def once(store: Store, token: str, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """The answer (JSON) that the work of this name gave under the token of its step, now or at the first time. Raises
    what it raises: then nothing of it was done."""
    with store.transaction():
        recorded = store.execute(
            "SELECT answer FROM durable_answers WHERE token = ? AND work = ?", token, name
        )
        if recorded:
            return json.loads(recorded[0]["answer"])
        answer = _without_waiting(name, work())
        store.execute("INSERT INTO durable_answers VALUES (?, ?, ?)", token, name, json.dumps(answer))
        return answer


def forget(store: Store, token: str) -> None:
    """Drop the answers of a step that is recorded."""
    store.execute("DELETE FROM durable_answers WHERE token = ?", token)


def _without_waiting(name: str, coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError(f"{name} waits: it cannot be done in one transaction")
