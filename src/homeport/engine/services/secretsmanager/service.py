"""Secrets Manager: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.secretsmanager import passwords, policies, secrets, values
from homeport.engine.services.service import Service

SERVICE = Service(
    "secretsmanager",
    modules=(secrets, values, passwords, policies),
    reconcilers=(secrets.DELETION,),
    resource_policy=policies.resource_policy,
)
