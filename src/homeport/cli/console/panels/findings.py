"""What `homeport doctor` finds of the stack, and the change that mends it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from homeport.cli.console.delivery import Delivery, Refusals
from homeport.cli.doctor.examination import examine
from homeport.cli.doctor.scope import Scope


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`findings` of all checks, and when it was looked."""
    stack = refusals.ask(None, lambda: delivery.stack)
    found = list(examine(Scope(delivery.target, stack)))
    return {
        "troubles": [trouble for each in found for trouble in each.troubles],
        "unknown": [each for each in found if each.unknown],
        "checks": [name for each in found for name in each.checks],
        "looked": datetime.now(UTC),
    }
