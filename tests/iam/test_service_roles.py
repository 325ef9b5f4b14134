"""Roles that services assume, and the credentials that containers find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport.engine.config import Config
from homeport.engine.services import iam, sts
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.iam.container_credentials import endpoint
from homeport.engine.services.iam.identity import IamIdentity
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError
from tests.iam.conftest import allow, document, trust


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Context]:
    """IAM alone, in this process, as AWS's ECS sees it."""
    none: Any = lambda engine: None  # noqa: E731
    engine = Engine(
        Config(tmp_path), (iam.SERVICE, sts.SERVICE), identity=IamIdentity, elsewhere=none, connect=none
    )
    yield engine.context("ecs-tasks", Scope(engine.account, engine.region))
    engine.store.close()


async def make_role(ctx: Context, trusted: str) -> str:
    client = ctx.client("iam", as_service=True)
    role = (await client.create_role(RoleName="task", AssumeRolePolicyDocument=trusted))["Role"]
    policy = document(allow("iam:ListUsers"))
    await client.put_role_policy(RoleName="task", PolicyName="own", PolicyDocument=policy)
    return role["Arn"]


async def test_a_service_acts_with_the_permissions_of_the_role_only(inside) -> None:
    role = await make_role(inside, trust({"Service": "ecs-tasks.amazonaws.com"}))
    client = inside.client("iam", role=role)

    assert (await client.list_users())["Users"] == []

    with pytest.raises(AwsError, match="is not authorized to perform: iam:ListRoles on resource"):
        await client.list_roles()


async def test_a_role_that_does_not_trust_the_service_is_not_assumed(inside) -> None:
    role = await make_role(inside, trust({"Service": "codebuild.amazonaws.com"}))

    with pytest.raises(AwsError) as refused:
        await inside.client("iam", role=role).list_users()

    assert refused.value.message == (
        f"User: ecs-tasks.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: {role} because "
        "no role trust policy allows the sts:AssumeRole action"
    )


async def test_a_trust_policy_may_ask_for_the_account_and_the_kind_of_source(inside) -> None:
    condition = {
        "StringEquals": {"aws:SourceAccount": inside.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{inside.region}:{inside.account}:*"},
    }
    role = await make_role(inside, trust({"Service": "ecs-tasks.amazonaws.com"}, Condition=condition))

    assert (await inside.client("iam", role=role).list_users())["Users"] == []


async def test_a_service_goes_through_one_role_to_another(inside) -> None:
    client = inside.client("iam", as_service=True)
    role = await make_role(inside, trust({"AWS": f"arn:aws:iam::{inside.account}:root"}))
    pipeline = trust({"Service": "ecs-tasks.amazonaws.com"})
    through = (await client.create_role(RoleName="pipeline", AssumeRolePolicyDocument=pipeline))["Role"][
        "Arn"
    ]
    users = inside.client("iam", role=role, through=through)
    with pytest.raises(AwsError, match="because no identity-based policy allows the sts:AssumeRole action"):
        await users.list_users()

    policy = document(allow("sts:AssumeRole", resource=role))
    await client.put_role_policy(RoleName="pipeline", PolicyName="own", PolicyDocument=policy)

    assert (await users.list_users())["Users"] == []
    with pytest.raises(AwsError, match="no role trust policy allows"):
        await inside.client("iam", role=role).list_users()


async def test_a_container_finds_credentials_until_they_are_revoked(inside) -> None:
    role = await make_role(inside, trust({"Service": "ecs-tasks.amazonaws.com"}))
    identity = inside.engine.identity
    id = identity.issue_container_credentials(role, "ecs-tasks.amazonaws.com", "task-1")

    status, found = await get(inside.engine, f"/v2/credentials/{id}")
    credential = identity.find_credential(found["AccessKeyId"], found["Token"], "sts")

    assert status == 200
    assert identity.issue_container_credentials(role, "ecs-tasks.amazonaws.com", "task-1") == id
    assert found["RoleArn"] == role
    assert credential.secret == found["SecretAccessKey"]
    assert credential.principal.arn == f"arn:aws:sts::{inside.account}:assumed-role/task/task-1"
    identity.revoke_container_credentials("task-1")
    assert (await get(inside.engine, f"/v2/credentials/{id}"))[0] == 404


async def get(engine: Engine, path: str) -> tuple[int, dict[str, str]]:
    """GET from the endpoint of container credentials."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [], "client": ("127.0.0.1", 1), "scheme": "http",
    }  # fmt: skip
    await endpoint(engine)(scope, receive, send)  # type: ignore[arg-type]
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(body)
