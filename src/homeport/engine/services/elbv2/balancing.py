"""From rows to the load balancer's data plane.

`carry_out` returns when Envoy works by what the rows say; the reconciler `elbv2.proxy` does the same when the engine
starts, and again when Envoy could not be had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.proxy.files import Rejected
from homeport.engine.proxy.model import (
    Desired,
    HealthCheck,
    Listener,
    Rule,
    Socket,
    Stickiness,
    Target,
    TargetGroup,
)
from homeport.engine.proxy.process import EnvoyError
from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import actions, certificates, conditions
from homeport.engine.services.elbv2.naming import group_id, listener_id
from homeport.engine.services.elbv2.ports import (
    bound_ports,
    choose_again,
    inside_addresses,
    reach_from_containers,
)
from homeport.engine.services.elbv2.tables import (
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    TARGET_GROUPS,
    TARGETS,
)
from homeport.engine.services.engine import NETWORK_TOPIC, Engine
from homeport.engine.store.database import Place, Scope
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_LONG = 3600.0


async def carry_out(ctx: Context) -> None:
    """Make Envoy work by the rows. When that fails, the reconciler goes on trying."""
    engine = ctx.engine
    try:
        await settle(engine)
    except (EnvoyError, Rejected, TimeoutError) as error:
        engine.wake(PROXY.name, _home(engine), "proxy")
        message = f"Envoy cannot follow what is now configured; it is tried again. {error}"
        raise AwsError("InternalFailure", message, 500) from error


async def settle(engine: Engine) -> None:
    """Start or adopt Envoy when there is something to do, and have it do that."""
    if not engine.proxy.started:
        if not LISTENERS.everywhere(engine.store):
            return
        if engine.proxy.process.pid() is None:
            choose_again(engine)
        await engine.proxy.start(
            lambda group: _health_changed(engine, group),
            desired(engine).target_groups,
            again=lambda: settle(engine),
        )
        for reconciler in ("elbv2.metrics", "elbv2.access-logs"):
            engine.wake(reconciler, _home(engine), "all")
    choose_again(engine)
    reach_from_containers(engine)
    await engine.proxy.follow(lambda: desired(engine))


def desired(engine: Engine) -> Desired:
    """The whole state that the rows ask for."""
    ports = bound_ports(engine)
    inside = inside_addresses(engine)
    sockets: defaultdict[tuple[int, str], list[tuple[float, Listener]]] = defaultdict(list)
    used: set[str] = set()
    for scope, balancer in LOAD_BALANCERS.everywhere(engine.store):
        place = Place(engine.store, scope)
        for body in LISTENERS.list(place, LoadBalancerArn=balancer["LoadBalancerArn"]):
            rules = sorted(RULES.list(place, ListenerArn=body["ListenerArn"]), key=lambda rule: rule["order"])
            used.update(arn for rule in rules for arn in actions.groups_of(rule["Actions"]))
            listener = _listener(engine, balancer, body, rules, ports)
            sockets[ports[body["Port"]], "127.0.0.1"].append((balancer["CreatedTime"], listener))
            if body["Port"] in inside:
                sockets[body["Port"], inside[body["Port"]]].append((balancer["CreatedTime"], listener))
    return Desired(
        sockets=tuple(
            Socket(
                port,
                tuple(each for _, each in sorted(found, key=lambda pair: (pair[0], pair[1].id))),
                address,
            )
            for (port, address), found in sorted(sockets.items())
        ),
        target_groups=tuple(
            _target_group(engine, scope, body)
            for scope, body in TARGET_GROUPS.everywhere(engine.store)
            if body["TargetGroupArn"] in used
        ),
    )


def health_topic(target_group: str) -> str:
    """The topic that is notified when targets of a group come, go, or change their health."""
    return f"elbv2.health:{target_group}"


def _listener(
    engine: Engine, balancer: Body, body: Body, rules: list[Body], ports: dict[int, int]
) -> Listener:
    settings = balancer["attributes"]
    hosts = [balancer["DNSName"], *_named_hosts(rules)]
    return Listener(
        id=listener_id(body["ListenerArn"]),
        load_balancer=balancer["LoadBalancerArn"],
        port=body["Port"],
        hosts=tuple(dict.fromkeys(hosts)),
        rules=tuple(
            Rule(
                id=rule["RuleArn"].rsplit("/", 1)[-1],
                priority=rule["Priority"],
                action=actions.carried_out(rule["Actions"], ports),
                conditions=conditions.matching(rule["Conditions"]),
            )
            for rule in rules
        ),
        certificates=certificates.load(engine, balancer, body),
        idle_timeout=float(settings.get("idle_timeout.timeout_seconds", "60")),
        http2=settings.get("routing.http2.enabled", "true") == "true",
        forwarded_for=settings.get("routing.http.xff_header_processing.mode", "append"),
        client_port=settings.get("routing.http.xff_client_port.enabled") == "true",
        tells_tls=settings.get("routing.http.x_amzn_tls_version_and_cipher_suite.enabled") == "true",
        drops_invalid_headers=settings.get("routing.http.drop_invalid_header_fields.enabled") == "true",
        response_headers=_response_headers(body),
        access_log=settings.get("access_logs.s3.enabled") == "true",
    )


def _named_hosts(rules: list[Body]) -> list[str]:
    """Host names that rules ask for: they tell load balancers that share a port apart, too."""
    found = []
    for rule in rules:
        for condition in rule["Conditions"]:
            for value in condition.get("HostHeaderConfig", {}).get("Values", []):
                rest = value[2:] if value.startswith("*.") else value
                if not set(rest) & set("*?"):
                    found.append(value.lower())
    return found


def _response_headers(body: Body) -> tuple[tuple[str, str], ...]:
    prefix, suffix = "routing.http.response.", ".header_value"
    return tuple(
        (key.removeprefix(prefix).removesuffix(suffix).replace("_", "-"), value)
        for key, value in sorted(body["attributes"].items())
        if key.endswith(suffix) and value
    )


def _target_group(engine: Engine, scope: Scope, body: Body) -> TargetGroup:
    settings = body["attributes"]
    found: dict[tuple[str, int], Target] = {}
    check_port = None if body["HealthCheckPort"] == "traffic-port" else int(body["HealthCheckPort"])
    for row in TARGETS.list(Place(engine.store, scope), body["TargetGroupArn"]):
        draining = row["state"] == "draining"
        target = Target(row["address"], row["Port"], draining=draining, health_check_port=check_port)
        known = found.get((target.address, target.port))
        if known is None or known.draining:
            found[target.address, target.port] = target
    return TargetGroup(
        id=group_id(body["TargetGroupArn"]),
        targets=tuple(found.values()),
        protocol=body["Protocol"],
        protocol_version=body["ProtocolVersion"],
        health_check=_health_check(engine, body),
        algorithm=settings.get("load_balancing.algorithm.type", "round_robin"),
        slow_start=int(settings.get("slow_start.duration_seconds", "0")),
        stickiness=_stickiness(settings),
    )


def _health_check(engine: Engine, body: Body) -> HealthCheck:
    return HealthCheck(
        protocol=body["HealthCheckProtocol"],
        path=body["HealthCheckPath"],
        matcher=body["Matcher"].get("HttpCode", "200"),
        interval=engine.clock.real(body["HealthCheckIntervalSeconds"]),
        timeout=body["HealthCheckTimeoutSeconds"],
        healthy_threshold=body["HealthyThresholdCount"],
        unhealthy_threshold=body["UnhealthyThresholdCount"],
    )


def _stickiness(settings: dict[str, str]) -> Stickiness | None:
    if settings.get("stickiness.enabled") != "true":
        return None
    if settings.get("stickiness.type", "lb_cookie") == "app_cookie":
        return Stickiness(int(settings.get("stickiness.app_cookie.duration_seconds", "86400")), "AWSALBAPP-0")
    return Stickiness(int(settings.get("stickiness.lb_cookie.duration_seconds", "86400")))


def _health_changed(engine: Engine, group: str) -> None:
    for _, body in TARGET_GROUPS.everywhere(engine.store):
        if group_id(body["TargetGroupArn"]) == group:
            engine.signals.notify(health_topic(body["TargetGroupArn"]))


def _home(engine: Engine) -> Scope:
    return Scope(engine.account, engine.region)


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    return [(_home(engine), "proxy")] if LISTENERS.everywhere(engine.store) else []


async def _reconcile(ctx: Context, key: str) -> None:
    await settle(ctx.engine)


async def _reach(ctx: Context, key: str) -> None:
    """Open the load balancers to containers when their network comes."""
    with ctx.engine.signals.listen([NETWORK_TOPIC]) as heard:
        while ctx.engine.gateway is None:
            await heard.wait(_LONG)
    await settle(ctx.engine)


PROXY = Reconciler("elbv2.proxy", _keys, _reconcile)
INSIDE = Reconciler("elbv2.inside", lambda engine: [(_home(engine), "proxy")], _reach)
