"""The resource types that homeport makes. A type is one entry in its service's file, in the tuple `TYPES`; a new file
is one line here."""

from __future__ import annotations

from typing import Literal, overload

from homeport.engine.services.cloudformation.resources import (
    ec2,
    iam,
    inert,
    logs,
    s3,
    ssm,
)
from homeport.engine.services.cloudformation.resources.provider import ResourceProvider

PROVIDERS: dict[str, ResourceProvider] = {
    provider.type: provider for module in (ec2, iam, inert, logs, s3, ssm) for provider in module.TYPES
}


@overload
def provider_of(type: str, *, inert: bool, missing_ok: Literal[True]) -> ResourceProvider | None: ...
@overload
def provider_of(type: str, *, inert: bool) -> ResourceProvider: ...
def provider_of(type: str, *, inert: bool, missing_ok: bool = False) -> ResourceProvider | None:
    """The provider of a type; the one that does nothing for resources recorded as inert."""
    if inert:
        return inert_provider(type)
    provider = PROVIDERS.get(type)
    if provider is None and type.startswith("Custom::"):
        provider = PROVIDERS.get("AWS::CloudFormation::CustomResource")
    if provider is None and not missing_ok:
        return inert_provider(type)
    return provider


inert_provider = inert.Inert
