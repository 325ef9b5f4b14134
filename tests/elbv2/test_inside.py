"""Containers reach load balancers by their DNS names, on the ports that listeners were created with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.ecs.conftest import Ecs, image  # noqa: F401
from tests.elbv2.conftest import Balancer


@pytest.fixture
def ecs(engine: RunningEngine, image: str) -> Iterator[Ecs]:  # noqa: F811
    engine.client("ecs").create_cluster()
    yield Ecs(engine)


def test_a_task_calls_a_load_balancer(ecs: Ecs, balancer: Balancer) -> None:
    config = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "hello from inside"}
    balancer.listen({"Type": "fixed-response", "FixedResponseConfig": config}, port=8088)
    script = f"for i in 1 2 3 4 5 6; do wget -q -O - http://{balancer.host}:8088/ && exit 7; sleep 1; done"
    task = ecs.until_stopped(ecs.run(ecs.define(script)))
    assert task["containers"][0]["exitCode"] == 7, task
