"""Where a stack's service answers."""

from __future__ import annotations

from typing import Any

from homeport.cli import stacks
from homeport.cli.target import CannotReach, Target
from homeport.stack.cloudformation import pascal


def address_of(target: Target, stack: str, environment: str | None = None) -> str:
    """The stack's output `Url`, or that of one of its environments; on this machine with the port that its listener
    really has. Raises CannotReach when there is none."""
    urls = _urls(target, stack)
    wanted = f"{pascal(environment or '')}Url"
    if wanted not in urls:
        there = ", ".join(sorted(name.removesuffix("Url").lower() for name in urls))
        hint = f"Name an environment, --environment: {there}" if there else _only(urls)
        raise CannotReach(f"The stack {stack} has no output {wanted}. {hint}.")
    return _reached(target, urls[wanted])


def _only(urls: dict[str, str]) -> str:
    return "It has one service: leave --environment out" if urls else "It has no load balancer"


def addresses_of(target: Target, stack: str) -> dict[str, str]:
    """Where all of a stack's services answer, by the prefix that their environment gives to the names of its resources:
    `Staging`, or none."""
    return {
        name.removesuffix("Url"): _reached(target, url) for name, url in sorted(_urls(target, stack).items())
    }


def _urls(target: Target, stack: str) -> dict[str, str]:
    cloudformation = target.client("cloudformation")
    outputs = stacks.outputs(cloudformation, stacks.known(cloudformation, stack))
    return {name: value for name, value in outputs.items() if name.endswith("Url") and name != "CloneUrl"}


def _reached(target: Target, url: str) -> str:
    """The address of a load balancer on this machine with its port; any other as it is."""
    host = url.partition("://")[2].rstrip("/")
    if not host.endswith(".localhost"):
        return url
    port = listener_port(target.client("elbv2"), host)
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def listener_port(elbv2: Any, host: str) -> int:
    """The port on this machine where a load balancer's first listener answers: its own, or, where this machine could
    not give that one, what stands in its place (attribute `homeport.port.<port>`)."""
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    arn = next(each["LoadBalancerArn"] for each in balancers if each["DNSName"] == host)
    port: int = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["Port"]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    mapped = {each["Key"]: each["Value"] for each in attributes}.get(f"homeport.port.{port}")
    return int(mapped or port)
