from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine


class Target:
    """An HTTP server of this process that says its name, and remembers the requests it got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.health_status = 200
        self.status = 200
        self._connections: list[socket.socket] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                target._connections.append(self.connection)

            def do_GET(self) -> None:
                healthy = self.path == "/health"
                if not healthy:
                    target.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                body = target.name.encode()
                self.send_response(target.health_status if healthy else target.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.description = {"Id": "127.0.0.1", "Port": self.port}
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """What SIGKILL does: nothing listens any more, and connections are cut."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def target() -> Iterator[Callable[[str], Target]]:
    started: list[Target] = []

    def start(name: str) -> Target:
        started.append(Target(name))
        return started[-1]

    yield start
    for each in started:
        each.stop()


class Balancer:
    """A load balancer made for a test, and how to talk to it."""

    def __init__(self, engine: RunningEngine, name: str = "shop") -> None:
        self.elbv2: Any = engine.client("elbv2")
        made = self.elbv2.create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])["LoadBalancers"][
            0
        ]
        self.arn: str = made["LoadBalancerArn"]
        self.host: str = made["DNSName"]

    def group(self, name: str, *targets: Target, **settings: Any) -> str:
        """A target group with these targets, checked every five seconds."""
        settings = {
            "Protocol": "HTTP",
            "Port": 80,
            "VpcId": "vpc-1",
            "TargetType": "ip",
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            **settings,
        }
        arn: str = self.elbv2.create_target_group(Name=name, **settings)["TargetGroups"][0]["TargetGroupArn"]
        if targets:
            self.elbv2.register_targets(TargetGroupArn=arn, Targets=[each.description for each in targets])
        return arn

    def listen(self, *actions: dict[str, Any], port: int = 80, **settings: Any) -> str:
        settings = {"Protocol": "HTTP", **settings}
        made = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Port=port, DefaultActions=list(actions), **settings
        )
        arn: str = made["Listeners"][0]["ListenerArn"]
        return arn

    def bound(self, port: int = 80) -> int:
        """The port of this machine that stands for a listener's."""
        answer = self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=self.arn)
        attributes = {each["Key"]: each["Value"] for each in answer["Attributes"]}
        return int(attributes.get(f"homeport.port.{port}", port))

    def healthy(self, group: str) -> None:
        """Wait, as the aws cli does, but more often."""
        waiter = self.elbv2.get_waiter("target_in_service")
        waiter.wait(TargetGroupArn=group, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})  # type: ignore[arg-type]


@pytest.fixture
def balancer(engine: RunningEngine) -> Balancer:
    return Balancer(engine)


def forward(group: str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": group}
