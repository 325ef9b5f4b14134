"""The rules of listeners as Envoy route configurations (RDS).

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from homeport.engine.proxy import script
from homeport.engine.proxy.conditions import route_match
from homeport.engine.proxy.model import (
    FixedResponse,
    Forward,
    Listener,
    Redirect,
    Rule,
    TargetGroup,
    WeightedTargetGroup,
)
from homeport.engine.proxy.redirects import redirect, template

GROUP_COOKIE = "AWSALBTG"

# Only what is safe for any method: the request has not been sent yet, or the target refused it unread.
_RETRY = {
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 3,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/"
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 5,
    "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
}


def route_configuration(
    name: str, listeners: tuple[Listener, ...], groups: dict[str, TargetGroup]
) -> dict[str, Any]:
    """The routes of listeners that share a socket; the first one takes unknown host names, too."""
    taken: set[str] = set()
    hosts = []
    for position, listener in enumerate(listeners):
        domains = [host for host in _domains(listener, everything=position == 0) if host not in taken]
        taken.update(domains)
        if domains:
            hosts.append(_virtual_host(listener, domains, groups))
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": name,
        "ignore_port_in_host_matching": True,
        "request_headers_to_remove": ["x-envoy-internal", "x-envoy-external-address", "x-request-id"],
        "virtual_hosts": hosts,
    }


def _domains(listener: Listener, everything: bool) -> list[str]:
    domains = [host.lower() for host in listener.hosts]
    return list(dict.fromkeys([*domains, "*"] if everything else domains))


def _virtual_host(listener: Listener, domains: list[str], groups: dict[str, TargetGroup]) -> dict[str, Any]:
    return {
        "name": listener.id,
        "domains": domains,
        **_forwarded(listener),
        "response_headers_to_add": [_set(name, value) for name, value in listener.response_headers],
        "retry_policy": _RETRY,
        "routes": [route for rule in listener.rules for route in _routes(listener, rule, groups)],
    }


def _forwarded(listener: Listener) -> dict[str, Any]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html"""
    added = [_set("x-forwarded-port", str(listener.port)), *_tls(listener)]
    if listener.forwarded_for == "remove":
        return {"request_headers_to_add": added, "request_headers_to_remove": ["x-forwarded-for"]}
    if listener.forwarded_for == "preserve":
        return {"request_headers_to_add": added}
    client = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
    value = f"%{client}%" if listener.client_port else f"%{client}_WITHOUT_PORT%"
    address = {"key": "x-forwarded-for", "value": value}
    return {
        "request_headers_to_add": [*added, {"header": address, "append_action": "APPEND_IF_EXISTS_OR_ADD"}]
    }


def _tls(listener: Listener) -> list[dict[str, Any]]:
    if not listener.tells_tls or not listener.certificates:
        return []
    values = {
        "x-amzn-tls-version": "%DOWNSTREAM_TLS_VERSION%",
        "x-amzn-tls-cipher-suite": "%DOWNSTREAM_TLS_CIPHER%",
    }
    return [
        {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, value in values.items()
    ]


def _routes(listener: Listener, rule: Rule, groups: dict[str, TargetGroup]) -> list[dict[str, Any]]:
    common = {
        "name": rule.id,
        "match": route_match(rule.conditions),
        "metadata": {
            "filter_metadata": {
                "homeport": {
                    "load_balancer": listener.load_balancer,
                    "listener": listener.id,
                    "priority": rule.priority,
                },
                script.NAME: _told(listener, rule),
            }
        },
    }
    match rule.action:
        case Forward():
            return _forward(common, listener, rule.action, groups)
        case Redirect():
            return [{**common, **redirect(rule.action)}]
        case FixedResponse():
            return [{**common, **_fixed_response(rule.action)}]


def _told(listener: Listener, rule: Rule) -> dict[str, Any]:
    """What the script is told of a route."""
    told: dict[str, Any] = {"drop_invalid": True} if listener.drops_invalid_headers else {}
    return told | ({"location": template(rule.action)} if isinstance(rule.action, Redirect) else {})


def _forward(
    common: dict[str, Any], listener: Listener, action: Forward, groups: dict[str, TargetGroup]
) -> list[dict[str, Any]]:
    carrying = [target for target in action.targets if target.weight > 0]
    if not carrying:  # Envoy refuses a rule whose weights are all zero
        return [{**common, **_fixed_response(FixedResponse(503))}]
    routes = []
    if action.sticky_seconds:
        for target in carrying:
            cookie = f"(?:.*; ?)?{GROUP_COOKIE}={_cookie_value(target.target_group)}(?:;.*)?"
            header = {"name": "cookie", "string_match": {"safe_regex": {"regex": cookie}}}
            match = {**common["match"], "headers": [*common["match"].get("headers", []), header]}
            routes.append({**common, "match": match, **_to([target], listener, action, groups)})
    return [*routes, {**common, **_to(carrying, listener, action, groups)}]


def _to(
    targets: list[WeightedTargetGroup], listener: Listener, action: Forward, groups: dict[str, TargetGroup]
) -> dict[str, Any]:
    """The part of a route that names its clusters. A single one costs less without a weight."""
    # The request may take as long as bytes move: the idle timeout is the only limit, as on AWS.
    limits = {"timeout": "0s", "idle_timeout": f"{listener.idle_timeout}s"}
    settings = [
        {**_sticky_target(groups[each.target_group]), **_sticky_group(each.target_group, action)}
        for each in targets
    ]
    if len(targets) == 1:
        return {"route": {"cluster": targets[0].target_group, **limits}, **settings[0]}
    clusters = [
        {"name": each.target_group, "weight": each.weight, **own}
        for each, own in zip(targets, settings, strict=True)
    ]
    return {"route": {"weighted_clusters": {"clusters": clusters}, **limits}}


def _sticky_target(group: TargetGroup) -> dict[str, Any]:
    if group.stickiness is None:
        return {}
    cookie = {"name": group.stickiness.cookie, "ttl": f"{group.stickiness.seconds}s", "path": "/"}
    session = {
        "name": "envoy.http.stateful_session.cookie",
        "typed_config": {
            "@type": "type.googleapis.com/"
            "envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
            "cookie": cookie,
        },
    }
    return {
        "typed_per_filter_config": {
            "envoy.filters.http.stateful_session": {
                "@type": "type.googleapis.com/"
                "envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
                "stateful_session": {"session_state": session},
            }
        }
    }


def _sticky_group(target_group: str, action: Forward) -> dict[str, Any]:
    if not action.sticky_seconds:
        return {}
    value = f"{GROUP_COOKIE}={_cookie_value(target_group)}; Max-Age={action.sticky_seconds}; Path=/"
    header = {"header": {"key": "set-cookie", "value": value}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
    return {"response_headers_to_add": [header]}


def _cookie_value(target_group: str) -> str:
    return hashlib.sha256(target_group.encode()).hexdigest()[:32]


def _fixed_response(action: FixedResponse) -> dict[str, Any]:
    direct: dict[str, Any] = {"status": action.status}
    if not action.body:
        return {"direct_response": direct, "response_headers_to_add": [_set("server", "awselb/2.0")]}
    direct["body"] = {"inline_string": action.body}
    headers = [_set("content-type", action.content_type), _set("server", "awselb/2.0")]
    return {"direct_response": direct, "response_headers_to_add": headers}


def _set(name: str, value: str) -> dict[str, Any]:
    escaped = value.replace("%", "%%")
    return {"header": {"key": name, "value": escaped}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
