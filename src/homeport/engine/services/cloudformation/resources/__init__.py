"""The resource types that homeport makes. A type is one entry in its service's file, in the tuple `TYPES`; a new file
is one line here."""

from __future__ import annotations

from homeport.engine.services.cloudformation.resources import (
    code,
    codedeploy,
    custom,
    discovery,
    ec2,
    ecr,
    ecs,
    elbv2,
    iam,
    inert,
    lambda_,
    logs,
    messaging,
    monitoring,
    route53,
    s3,
    ssm,
    stacks,
    storage,
)
from homeport.engine.services.cloudformation.resources.provider import ResourceProvider

_FILES = (
    code,
    codedeploy,
    custom,
    discovery,
    ec2,
    ecr,
    ecs,
    elbv2,
    iam,
    inert,
    lambda_,
    logs,
    messaging,
    monitoring,
    route53,
    s3,
    ssm,
    stacks,
    storage,
)

PROVIDERS: dict[str, ResourceProvider] = {each.type: each for file in _FILES for each in file.TYPES}


def find_provider(type: str) -> ResourceProvider | None:
    """The provider of a type, None for a type that homeport does not make."""
    if type.startswith("Custom::"):
        type = "AWS::CloudFormation::CustomResource"
    return PROVIDERS.get(type)


def provider_of(type: str) -> ResourceProvider:
    """The provider of a type: for one that homeport does not make, that which records it and does nothing."""
    return find_provider(type) or inert.Inert(type)
