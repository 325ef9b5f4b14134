"""Requests per second and latency through homeport's load balancer, beside plain Envoy and HAProxy.

    python bench/loadbalancer.py [--seconds 10] [--connections 64] [--rounds 3]

All balancers run on this machine with as many worker threads, forward to the same two targets, and are loaded by `wrk`
with keep-alive connections, one after the other in several rounds; the table shows each one's median round. HAProxy and
wrk come from the system's packages (`apt install haproxy wrk`); without HAProxy its line is missing.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import envoy
from rich.console import Console
from rich.table import Table

from homeport.pytest_plugin import RunningEngine

_ENVOY = Path(envoy.__file__).parent / "_bin" / "envoy"
_HTTP = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}
_THREADS = 2


class Load(NamedTuple):
    """What wrk measured."""

    rate: float
    p50: float  # milliseconds
    p99: float
    errors: int


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--seconds", type=int, default=10)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt install wrk")
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), options)


def _compare(folder: Path, options: argparse.Namespace) -> None:
    targets = [free_port(), free_port()]
    with (
        target(folder, targets[0]),
        target(folder, targets[1]),
        homeport(folder / "engine", targets) as (port, host),
        plain_envoy(folder, targets) as envoy_port,
        haproxy(folder, targets) as haproxy_port,
    ):
        urls = {
            "target, directly": (f"http://127.0.0.1:{targets[0]}/", "localhost"),
            "homeport": (f"http://127.0.0.1:{port}/", host),
            "Envoy, plain": (f"http://127.0.0.1:{envoy_port}/", "localhost"),
        }
        if haproxy_port:
            urls["HAProxy"] = (f"http://127.0.0.1:{haproxy_port}/", "localhost")
        rounds = [{name: load(*url, options) for name, url in urls.items()} for _ in range(options.rounds)]
    table = Table(
        title=f"{options.connections} keep-alive connections, {options.seconds} s, {_THREADS} workers each"
    )
    for column in ("", "requests/s", "p50 ms", "p99 ms", "errors"):
        table.add_column(column, justify="left" if not column else "right")
    for name in urls:
        seen = [each[name] for each in rounds]
        table.add_row(
            name,
            f"{statistics.median(each.rate for each in seen):,.0f}",
            f"{statistics.median(each.p50 for each in seen):.2f}",
            f"{statistics.median(each.p99 for each in seen):.2f}",
            str(sum(each.errors for each in seen)),
        )
    Console().print(table)


def load(url: str, host: str, options: argparse.Namespace) -> Load:
    command = [
        "wrk",
        "--latency",
        "-t",
        str(_THREADS),
        "-c",
        str(options.connections),
        "-d",
        f"{options.seconds}s",
    ]
    found = subprocess.run(
        [*command, "-H", f"Host: {host}", url], capture_output=True, text=True, check=True
    ).stdout
    errors = sum(
        int(number) for number in re.findall(r"(?:connect|read|write|timeout|Non-2xx.*?) ?:? (\d+)", found)
    )
    return Load(
        rate=float(re.findall(r"Requests/sec:\s+([\d.]+)", found)[0]),
        p50=_milliseconds(re.findall(r"\n\s+50%\s+(\S+)", found)[0]),
        p99=_milliseconds(re.findall(r"\n\s+99%\s+(\S+)", found)[0]),
        errors=errors,
    )


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


@contextmanager
def homeport(data: Path, targets: list[int]) -> Iterator[tuple[int, str]]:
    """A load balancer made over AWS's API."""
    engine = RunningEngine(data)
    engine.start()
    try:
        elbv2 = engine.client("elbv2")
        ec2 = engine.client("ec2")
        subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
        balancer = elbv2.create_load_balancer(Name="bench", Subnets=subnets)["LoadBalancers"][0]
        group = elbv2.create_target_group(
            Name="bench", Protocol="HTTP", Port=80, VpcId=balancer["VpcId"], TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.register_targets(
            TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port} for port in targets]
        )
        port = free_port()
        forward = {"Type": "forward", "TargetGroupArn": group}
        elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=port, DefaultActions=[forward]
        )
        elbv2.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig={"Delay": 1})
        yield port, balancer["DNSName"]
    finally:
        engine.reset()
        engine.stop()


@contextmanager
def plain_envoy(folder: Path, targets: list[int]) -> Iterator[int]:
    """Envoy with the least that forwards."""
    port = free_port()
    cluster = {
        "name": "targets",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "targets",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(each)}} for each in targets]}],
        },
    }
    with run_envoy(folder / "plain.json", port, {"route": {"cluster": "targets"}}, [cluster], _THREADS):
        yield port


@contextmanager
def haproxy(folder: Path, targets: list[int]) -> Iterator[int | None]:
    """HAProxy with the least that forwards, when it is installed."""
    if shutil.which("haproxy") is None:
        yield None
        return
    port = free_port()
    servers = "".join(f"  server t{each} 127.0.0.1:{each}\n" for each in targets)
    (folder / "haproxy.cfg").write_text(
        f"global\n  nbthread {_THREADS}\n"
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        f"frontend in\n  bind 127.0.0.1:{port}\n  default_backend targets\n"
        f"backend targets\n  http-reuse always\n{servers}"
    )
    with running(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], port):
        yield port


@contextmanager
def target(folder: Path, port: int) -> Iterator[None]:
    """A server that answers at once: an Envoy, too, so that the target is never what is measured."""
    answer = {"direct_response": {"status": 200, "body": {"inline_string": "hello"}}}
    with run_envoy(folder / f"target-{port}.json", port, answer, [], 1):
        yield


@contextmanager
def run_envoy(
    file: Path, port: int, action: dict[str, Any], clusters: list[dict[str, Any]], threads: int
) -> Iterator[None]:
    manager = {
        "@type": _HTTP,
        "stat_prefix": "http",
        "http_filters": [_ROUTER],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}
            ]
        },
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "in", "address": _address(port), "filter_chains": [{"filters": filters}]}
    file.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
    options = ["--disable-hot-restart", "--log-level", "error", "--concurrency", str(threads)]
    with running([str(_ENVOY), "-c", str(file), *options], port):
        yield


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    """A program, from when its port answers until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


if __name__ == "__main__":
    main()
