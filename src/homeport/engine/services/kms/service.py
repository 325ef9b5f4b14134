"""KMS as a service of the engine."""

from __future__ import annotations

from homeport.engine.services.kms.due import DUE
from homeport.engine.services.kms.operations import aliases, encryption, keys, policies, rotation, signing
from homeport.engine.services.kms.policies import resource_policy
from homeport.engine.services.service import Service

SERVICE = Service(
    "kms",
    modules=(aliases, encryption, keys, policies, rotation, signing),
    reconcilers=(DUE,),
    resource_policy=resource_policy,
)
