"""Where a stack's service answers."""

from __future__ import annotations

from typing import Any

from homeport.cli import stacks
from homeport.cli.target import CannotReach, Target
from homeport.stack.cloudformation import pascal


def address_of(target: Target, stack: str, environment: str | None = None) -> str:
    """The stack's output `Url`, or that of one of its environments; on this machine with the port that its listener
    really has. Raises CannotReach when there is none."""
    cloudformation = target.client("cloudformation")
    outputs = stacks.outputs(cloudformation, stacks.known(cloudformation, stack))
    urls = {name: value for name, value in outputs.items() if name.endswith("Url") and name != "CloneUrl"}
    wanted = f"{pascal(environment or '')}Url"
    if wanted not in urls:
        there = ", ".join(sorted(name.removesuffix("Url").lower() for name in urls))
        hint = f"Name an environment, --environment: {there}" if there else "It has no load balancer"
        raise CannotReach(f"The stack {stack} has no output {wanted}. {hint}.")
    host = urls[wanted].partition("://")[2].rstrip("/")
    if not host.endswith(".localhost"):
        return urls[wanted]
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
