"""Deliveries: each event for each target is durable work, tried again until the target's retry policy gives up.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

import logging
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.events.destinations import DESTINATIONS, send_to_queue, service_of
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

_ATTEMPTS, _AGE = 185, 86_400
_FINAL = ("AccessDenied", "AccessDeniedException", "NotImplemented", "ValidationException")


async def _deliver(x: Execution) -> None:
    """The input holds the target, the text for it, the rule's ARN and when the event was accepted."""
    target: dict[str, Any] = x.input["target"]
    policy = target.get("RetryPolicy") or {}
    attempts = policy.get("MaximumRetryAttempts", _ATTEMPTS) + 1
    last = x.input["accepted"] + policy.get("MaximumEventAgeInSeconds", _AGE)
    destination = DESTINATIONS[service_of(target["Arn"])]

    async def send() -> None:
        await destination.send(
            x.ctx.on_account_of(x.input["rule"]), target, x.input["text"], x.token("send")[:32]
        )

    for attempt in range(1, attempts + 1):
        try:
            await x.step(f"send-{attempt}", send)
            return
        except AwsError as error:
            final = error.code in _FINAL or error.code.endswith("NotFoundException")
            if final or attempt == attempts or x.ctx.now() >= last:
                raise
        await x.sleep(f"wait-{attempt}", min(2.0**attempt, 600.0))


async def _give_up(x: Execution, error: Exception) -> None:
    target, rule = x.input["target"], x.input["rule"]
    log.warning("%s could not deliver an event to %s: %s", rule, target["Arn"], error)
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue:
        try:
            await send_to_queue(x.ctx, queue, x.input["text"], None, x.token("dead"))
        except AwsError as refused:
            log.warning("the event is dropped: %s does not take it: %s", queue, refused)


DELIVERY = ExecutionKind("events.delivery", _deliver, _give_up)
