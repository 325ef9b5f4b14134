"""Whatever a request says, as long as the model allows it, IAM knows what it asks for, and answers without a fault."""

# ruff: noqa: E501

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from homeport.engine.config import Config
from homeport.engine.services import iam, kms, sts
from homeport.engine.services.engine import Engine
from homeport.engine.services.iam.context import action_keys
from homeport.engine.services.iam.identity import IamIdentity
from homeport.engine.services.iam.resources import Where, asks
from homeport.engine.wire import model
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import root

HERE = Where("123456789012", "us-east-1")
WORDS = [
    "app", "", "a/b", "*", "${aws:username}", "arn:aws:iam::123456789012:role/app", "arn:", "arn:aws:s3:::b/k", "alias/app",
    "arn:aws:ecs:us-east-1:123456789012:cluster/c", "{}", '{"Statement": []}', "x" * 300, "ä\n",
]  # fmt: skip


def some(shape: Any, chance: random.Random, depth: int = 0) -> Any:
    """A value of a shape, of the right types but with little sense."""
    kind = shape.type_name
    if kind == "structure":
        wanted = [name for name in shape.members if name in shape.required_members or chance.random() < 0.4]
        return {name: some(shape.members[name], chance, depth + 1) for name in wanted} if depth < 5 else {}
    if kind == "list":
        return (
            [some(shape.member, chance, depth + 1) for _ in range(chance.randint(0, 2))] if depth < 5 else []
        )
    if kind == "map":
        return {chance.choice(WORDS): some(shape.value, chance, depth + 1)}
    if kind == "string":
        return chance.choice(shape.enum or WORDS)
    if kind == "boolean":
        return chance.random() < 0.5
    if kind == "blob":
        return chance.choice(WORDS).encode()
    return chance.choice([0, 1, 7, 1000])


@pytest.mark.parametrize(
    "service",
    ["s3", "ecs", "ecr", "ec2", "iam", "sts", "kms", "logs", "ssm", "secretsmanager", "elbv2", "events", "sns", "sqs",
     "cloudformation", "codebuild", "codepipeline", "codedeploy", "codecommit", "cloudwatch", "dynamodb", "lambda"],
)  # fmt: skip
def test_every_request_asks_for_something(service: str) -> None:
    chance = random.Random(service)
    for operation in model.operations(service).values():
        for _ in range(3):
            params = some(operation.input_shape, chance) if operation.input_shape else {}
            call = Call(service, operation, params, root(HERE.account), HERE.account, HERE.region, "id")
            found = asks(service, operation.name, params, HERE)
            assert found or service == "sts"
            for ask in found:
                keys = action_keys(call, ask, HERE, HERE.account)
                assert all(isinstance(value, str) for values in keys.values() for value in values)


@pytest.mark.parametrize("service", [iam.SERVICE, sts.SERVICE, kms.SERVICE], ids=lambda service: service.name)
async def test_no_request_is_answered_with_a_fault(service: Any, tmp_path: Path) -> None:
    chance = random.Random(service.name)
    none: Any = lambda engine: None  # noqa: E731
    services = (iam.SERVICE, sts.SERVICE, kms.SERVICE)
    engine = Engine(Config(tmp_path), services, identity=IamIdentity, elsewhere=none, connect=none)
    principal = root(engine.account)
    answered = 0
    for _ in range(8):
        for name in service.operations:
            operation = model.operations(service.name)[name]
            params = some(operation.input_shape, chance) if operation.input_shape else {}
            call = Call(service.name, operation, params, principal, engine.account, engine.region, "id")
            try:
                await engine.invoke(call)
                answered += 1
            except AwsError as error:
                assert error.status is None or error.status < 500, (name, params, error)
    engine.store.close()
    assert answered
