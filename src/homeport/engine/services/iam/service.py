"""IAM as a service of the engine."""

from __future__ import annotations

from homeport.engine.services.iam import container_credentials
from homeport.engine.services.iam.operations import (
    access_keys,
    account,
    boundaries,
    devices,
    entity_policies,
    groups,
    identity_providers,
    instance_profiles,
    managed_policies,
    passwords,
    policy_entities,
    roles,
    server_certificates,
    service_credentials,
    service_linked_roles,
    simulation,
    tags,
    users,
)
from homeport.engine.services.service import Service

SERVICE = Service(
    "iam",
    modules=(
        access_keys,
        account,
        boundaries,
        devices,
        entity_policies,
        groups,
        identity_providers,
        instance_profiles,
        managed_policies,
        passwords,
        policy_entities,
        roles,
        server_certificates,
        service_credentials,
        service_linked_roles,
        simulation,
        tags,
        users,
    ),
    mounts={container_credentials.PREFIX: container_credentials.endpoint},
)
