"""Amazon SNS: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.service import Service
from homeport.engine.services.sns import delivery, messages, subscriptions, topics

SERVICE = Service(
    "sns",
    modules=(topics, subscriptions, messages),
    executions=(delivery.DELIVERY,),
    resource_policy=topics.resource_policy,
)
