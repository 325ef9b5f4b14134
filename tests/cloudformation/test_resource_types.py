"""The table of resource types against the registry's schemas and botocore's models."""

from collections.abc import Iterator
from typing import Any

import jmespath
import pytest

from homeport.engine.main import SERVICES
from homeport.engine.services.cloudformation.resources import PROVIDERS
from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.schemas import schema_of
from homeport.engine.wire import model

TYPES = [provider for provider in PROVIDERS.values() if isinstance(provider, Type)]


def calls_in(value: Any) -> Iterator[Call]:
    if isinstance(value, Call):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from calls_in(item)
    elif hasattr(value, "__slots__"):
        for name in value.__slots__:
            yield from calls_in(getattr(value, name))


@pytest.mark.parametrize("provider", TYPES, ids=lambda provider: provider.type)
def test_a_type_names_what_the_models_have(provider: Type):
    assert schema_of(provider.type), "the registry does not know the type"
    for call in (each for value in vars(provider).values() for each in calls_in(value)):
        operation = model.operations(call.service or provider._service).get(call.operation)
        assert operation, f"{provider._service} has no operation {call.operation}"
        members = set(operation.input_shape.members) if operation.input_shape else set()
        assert set(call.members) <= members, f"{call.operation} has no {set(call.members) - members}"
        for expression in call.members.values():
            jmespath.compile(expression)


@pytest.mark.parametrize("provider", TYPES, ids=lambda provider: provider.type)
def test_a_type_names_properties_of_its_schema(provider: Type):
    known = set(schema_of(provider.type).body["properties"])
    named = {name for part in provider._parts for name in getattr(part, "properties", ())}
    named |= {part.property for part in provider._parts if hasattr(part, "property")}
    named |= {provider._named} - {""}

    assert named <= known


@pytest.mark.parametrize("provider", TYPES, ids=lambda provider: provider.type)
def test_a_type_calls_operations_that_there_are(provider: Type):
    services = {service.name: service for service in SERVICES}
    for call in (each for value in vars(provider).values() for each in calls_in(value)):
        service = services.get(call.service or provider._service)
        assert service is None or call.operation in service.operations


def test_properties_without_effect_are_named():
    bucket = PROVIDERS["AWS::S3::Bucket"]

    assert bucket.unused({"BucketName": "b", "VersioningConfiguration": {}, "AccessControl": "Private"}) == [
        "AccessControl"
    ]
