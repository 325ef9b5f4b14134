"""Ports of this machine that other programs take."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable

import urllib3

from homeport.pytest_plugin import RunningEngine
from tests.elbv2.conftest import Balancer, Target, forward
from tests.waiting import until


def test_a_port_that_is_taken_when_envoy_dies_is_replaced(
    engine: RunningEngine, balancer: Balancer, target: Callable[[str], Target]
):
    balancer.listen(forward(balancer.group("app", target("app"))))
    before = balancer.bound()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        os.kill(envoy(engine), signal.SIGKILL)

        def stolen() -> bool:
            try:
                thief.bind(("127.0.0.1", before))
            except OSError:
                return False
            return True

        until(stolen)
        thief.listen()

        until(lambda: balancer.bound() != before)
        url = f"http://127.0.0.1:{balancer.bound()}/"
        until(lambda: answers(url, balancer.host))


def test_a_load_balancer_says_why_it_does_not_follow(engine: RunningEngine, balancer: Balancer):
    balancer.listen({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}})
    bootstrap = engine.data / "proxy" / "bootstrap.json"
    bootstrap.unlink()
    bootstrap.mkdir()  # Envoy cannot be started

    os.kill(envoy(engine), signal.SIGKILL)

    until(lambda: state(balancer)["Code"] == "active_impaired")
    assert str(bootstrap) in state(balancer)["Reason"]
    bootstrap.rmdir()
    until(lambda: state(balancer) == {"Code": "active"})


def envoy(engine: RunningEngine) -> int:
    return int(json.loads((engine.data / "proxy" / "envoy.json").read_text())["pid"])


def state(balancer: Balancer) -> dict[str, str]:
    found = balancer.elbv2.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"]
    shown: dict[str, str] = found[0]["State"]
    return shown


def answers(url: str, host: str) -> bool:
    try:
        return urllib3.request("GET", url, headers={"host": host}, retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False
