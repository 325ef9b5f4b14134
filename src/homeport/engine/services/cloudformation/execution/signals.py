"""Creation policies: a resource is complete only when it has signalled so.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-creationpolicy.html
"""

from __future__ import annotations

import re

from homeport.engine.services.cloudformation.environment import stack_environment
from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.execution.work import ResourceFailed, Work
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.tables import SIGNALS
from homeport.engine.services.cloudformation.template import Resource

_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


async def signals_answered(work: Work, resource: Resource) -> None:
    """Wait until a resource has sent the signals that its creation policy asks for. Raises ResourceFailed when one
    tells of a failure or they do not come in time."""
    policy = evaluate(resource.creation_policy, stack_environment(work.ctx, work.stack)).get("ResourceSignal")
    if policy is None:
        return
    count, seconds = int(policy.get("Count", 1)), parse_duration(str(policy.get("Timeout", "PT5M")))

    async def ask() -> bool | None:
        signals = SIGNALS.list(work.ctx, work.stack_id, resource.id)
        if failed := next((each for each in signals if each["Status"] == "FAILURE"), None):
            raise ResourceFailed(f"Received FAILURE signal with UniqueId {failed['UniqueId']}")
        return True if len(signals) >= count else None

    try:
        await work.poll(ask, 1.0, seconds)
    except TimeoutError:
        received = len(SIGNALS.list(work.ctx, work.stack_id, resource.id))
        raise ResourceFailed(
            f"Failed to receive {count - received} resource signal(s) within the specified duration"
        ) from None


def parse_duration(text: str) -> float:
    """The seconds of an ISO 8601 duration such as `PT1H30M`. Raises ValidationError."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise invalid(f"{text} is not a duration such as PT15M")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600.0 + minutes * 60 + seconds
