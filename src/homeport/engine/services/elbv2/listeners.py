"""Listeners: a port and protocol of a load balancer, with its default rule.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
"""

from __future__ import annotations

import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import actions, certificates, lookup, pages, tags
from homeport.engine.services.elbv2.balancing import carry_out
from homeport.engine.services.elbv2.ports import release_port, take_port
from homeport.engine.services.elbv2.tables import DEFAULT_ORDER, LISTENERS, RULES
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_POLICY = "ELBSecurityPolicy-2016-08"


@operation
async def create_listener(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html"""
    tags.validate(request.get("Tags", []))
    names = await certificates.names_of(ctx, _arns(request))
    with ctx.store.transaction():
        arn = request["LoadBalancerArn"]
        lookup.load_balancer(ctx, arn)
        protocol, port = _checked_protocol(request.get("Protocol")), request.get("Port")
        _check_port(port)
        _check_free(ctx, arn, port)
        body = {
            "ListenerArn": f"{arn.replace(':loadbalancer/', ':listener/')}/{secrets.token_hex(8)}",
            "LoadBalancerArn": arn,
            "Port": port,
            "Protocol": protocol,
            "DefaultActions": actions.stored(ctx, arn, request["DefaultActions"]),
            **_security(protocol, request),
            "certificateNames": names,
            "attributes": {},
            "tags": request.get("Tags", []),
        }
        take_port(ctx.engine, body["Port"])
        LISTENERS.put(ctx, body)
        RULES.put(ctx, _default_rule(body, secrets.token_hex(8)))
    await carry_out(ctx)
    return {"Listeners": [body]}


@operation
async def describe_listeners(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html"""
    if request.get("ListenerArns"):
        found = [lookup.listener(ctx, arn) for arn in request["ListenerArns"]]
    elif "LoadBalancerArn" in request:
        lookup.load_balancer(ctx, request["LoadBalancerArn"])
        found = LISTENERS.list(ctx, LoadBalancerArn=request["LoadBalancerArn"])
    else:
        raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    return pages.answer("Listeners", found, request, lambda each: each["ListenerArn"])


@operation
async def modify_listener(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html"""
    names = await certificates.names_of(ctx, _arns(request))
    with ctx.store.transaction():
        body = lookup.listener(ctx, request["ListenerArn"])
        protocol = _checked_protocol(request.get("Protocol", body["Protocol"]))
        if "Port" in request and request["Port"] != body["Port"]:
            _check_port(request["Port"])
            _check_free(ctx, body["LoadBalancerArn"], request["Port"])
            take_port(ctx.engine, request["Port"])
        old_port = body["Port"]
        if "DefaultActions" in request:
            body["DefaultActions"] = actions.stored(ctx, body["LoadBalancerArn"], request["DefaultActions"])
        given = {key: request[key] for key in ("Certificates", "SslPolicy") if request.get(key)}
        security = _security(protocol, {**_only(body, "Certificates", "SslPolicy"), **given})
        extra = (
            [c for c in body["certificates"][1:] if c not in security["certificates"]]
            if security["certificates"]
            else []
        )
        body = {
            **{key: value for key, value in body.items() if key not in ("Certificates", "SslPolicy")},
            **security,
            "certificates": security["certificates"] + extra,
            "certificateNames": body["certificateNames"] | names,
            "Port": request.get("Port", body["Port"]),
            "Protocol": protocol,
        }
        LISTENERS.put(ctx, body)
        default = next(rule for rule in RULES.list(ctx, ListenerArn=body["ListenerArn"]) if rule["IsDefault"])
        RULES.put(ctx, {**default, "Actions": body["DefaultActions"]})
        if body["Port"] != old_port:
            release_port(ctx.engine, old_port)
    await carry_out(ctx)
    return {"Listeners": [body]}


@operation
async def delete_listener(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteListener.html"""
    with ctx.store.transaction():
        remove_listener(ctx, lookup.listener(ctx, request["ListenerArn"]))
    await carry_out(ctx)
    return {}


@operation
async def add_listener_certificates(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddListenerCertificates.html"""
    names = await certificates.names_of(ctx, _arns(request))
    with ctx.store.transaction():
        body = lookup.listener(ctx, request["ListenerArn"])
        if body["Protocol"] != "HTTPS":
            raise AwsError("OperationNotPermitted", "Certificates can be added to HTTPS listeners only")
        for certificate in request["Certificates"]:
            if certificate["CertificateArn"] not in body["certificates"]:
                body["certificates"].append(certificate["CertificateArn"])
        body["certificateNames"] |= names
        LISTENERS.put(ctx, body)
    await carry_out(ctx)
    return {"Certificates": [{**each, "IsDefault": False} for each in request["Certificates"]]}


@operation
async def remove_listener_certificates(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RemoveListenerCertificates.html"""
    gone = {each["CertificateArn"] for each in request["Certificates"]}
    with ctx.store.transaction():
        body = lookup.listener(ctx, request["ListenerArn"])
        if body["certificates"][:1] and body["certificates"][0] in gone:
            raise AwsError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
        body["certificates"] = [each for each in body["certificates"] if each not in gone]
        body["certificateNames"] = {
            arn: names for arn, names in body["certificateNames"].items() if arn not in gone
        }
        LISTENERS.put(ctx, body)
    await carry_out(ctx)
    return {}


@operation
async def describe_listener_certificates(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListenerCertificates.html"""
    body = lookup.listener(ctx, request["ListenerArn"])
    found = [
        {"CertificateArn": arn, "IsDefault": position == 0}
        for position, arn in enumerate(body["certificates"])
    ]
    return pages.answer("Certificates", found, request, lambda each: each["CertificateArn"])


def remove_listener(ctx: Context, body: Body) -> None:
    """Delete a listener and its rules, in the caller's transaction."""
    for rule in RULES.list(ctx, ListenerArn=body["ListenerArn"]):
        RULES.delete(ctx, rule["RuleArn"])
    LISTENERS.delete(ctx, body["ListenerArn"])
    release_port(ctx.engine, body["Port"])


def _default_rule(listener: Body, id: str) -> Body:
    return {
        "RuleArn": f"{listener['ListenerArn'].replace(':listener/', ':listener-rule/')}/{id}",
        "ListenerArn": listener["ListenerArn"],
        "Priority": "default",
        "order": DEFAULT_ORDER,
        "IsDefault": True,
        "Conditions": [],
        "Actions": listener["DefaultActions"],
        "tags": [],
    }


def _security(protocol: str, request: Body) -> Body:
    """What only HTTPS listeners have: policy and certificates."""
    if protocol == "HTTP":
        return {"certificates": []}
    given = request.get("Certificates", [])
    if len(given) != 1 or "CertificateArn" not in given[0]:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    arn = given[0]["CertificateArn"]
    if not arn.startswith("arn:"):
        raise AwsError("ValidationError", f"Certificate ARN '{arn}' is not valid")
    return {
        "SslPolicy": request.get("SslPolicy", _POLICY),
        "Certificates": [{"CertificateArn": arn}],
        "certificates": [arn],
    }


def _arns(request: Body) -> list[str]:
    return [each["CertificateArn"] for each in request.get("Certificates", []) if "CertificateArn" in each]


def _only(body: Body, *keys: str) -> Body:
    return {key: body[key] for key in keys if key in body}


def _checked_protocol(protocol: str | None) -> str:
    if protocol not in ("HTTP", "HTTPS"):
        raise AwsError("ValidationError", f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    return protocol


def _check_port(port: int | None) -> None:
    if port is None or not 1 <= port <= 65535:
        raise AwsError("ValidationError", f"Listener port '{port}' must be between 1 and 65535")


def _check_free(ctx: Context, load_balancer: str, port: int | None) -> None:
    if any(each["Port"] == port for each in LISTENERS.list(ctx, LoadBalancerArn=load_balancer)):
        raise AwsError(
            "DuplicateListener",
            f"A listener already exists on this port for this load balancer '{load_balancer}'",
        )
