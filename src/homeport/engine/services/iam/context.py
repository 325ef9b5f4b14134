"""The context of a call: every condition key that it gives a value.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from botocore.model import OperationModel

from homeport.engine.services.iam.keys import request_keys
from homeport.engine.services.iam.patterns import Values
from homeport.engine.services.iam.permissions import Permissions
from homeport.engine.services.iam.resources import Ask, Where
from homeport.engine.wire.call import Call
from homeport.engine.wire.principal import Principal


def global_keys(call: Call, permissions: Permissions, now: float) -> dict[str, Values]:
    """The keys that do not depend on the action."""
    keys = principal_keys(call.principal, permissions)
    keys["aws:currenttime"] = (datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),)
    keys["aws:epochtime"] = (str(int(now)),)
    keys["aws:requestedregion"] = (call.region,)
    # Nothing but this machine's own loopback and bridges lies between client and engine, and templates deny what
    # is not TLS: a call counts as one over TLS.
    keys["aws:securetransport"] = ("true",)
    via = call.invoked_by
    if via and call.principal.session_context.get("service") != via:
        keys["aws:viaawsservice"] = ("true",)
        keys["aws:calledvia"] = keys["aws:calledviafirst"] = keys["aws:calledvialast"] = (via,)
    else:
        keys["aws:viaawsservice"] = ("false",)
        if via is None:
            keys["aws:sourceip"] = (call.source_ip,)
    if call.source_arn:
        keys["aws:sourcearn"] = (call.source_arn,)
        keys["aws:sourceaccount"] = (call.source_arn.split(":")[4] or call.account,)
    if call.user_agent:
        keys["aws:useragent"] = (call.user_agent,)
    if referer := call.headers.get("referer"):
        keys["aws:referer"] = (referer,)
    return keys


def principal_keys(principal: Principal, permissions: Permissions) -> dict[str, Values]:
    """The keys about who calls."""
    keys: dict[str, Values] = {"aws:principalisawsservice": ("false",)}
    if principal.type == "Anonymous":
        keys["aws:principaltype"] = ("Anonymous",)
        return keys
    if principal.type == "Service":
        keys["aws:principalisawsservice"] = ("true",)
        keys["aws:principalservicename"] = (principal.arn,)
        return keys
    keys["aws:principalarn"] = (principal.issuer or principal.arn,)
    keys["aws:principalaccount"] = (principal.account,)
    keys["aws:principaltype"] = ("Account" if principal.type == "Root" else principal.type,)
    keys["aws:userid"] = (principal.id,)
    if principal.type == "User":
        keys["aws:username"] = (principal.arn.rpartition("/")[2],)
    for name, value in {**permissions.tags, **principal.session_tags}.items():
        keys[f"aws:principaltag/{name}".lower()] = (value,)
    context = principal.session_context
    if "issued" in context:
        keys["aws:tokenissuetime"] = (
            datetime.fromtimestamp(context["issued"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        keys["aws:multifactorauthpresent"] = ("false",)
    if source := context.get("source_identity"):
        keys["aws:sourceidentity"] = (source,)
    return keys


def action_keys(call: Call, ask: Ask, where: Where, account: str) -> dict[str, Values]:
    """The keys of one action and its resource."""
    prefix = ask.action.partition(":")[0]
    keys = request_keys(prefix, ask, call.params, where, _wire_names(call.operation))
    keys["aws:resourceaccount"] = (account,)
    if prefix == "s3":
        keys["s3:resourceaccount"] = (account,)
        keys["s3:authtype"] = ("REST-QUERY-STRING" if call.presigned else "REST-HEADER",)
        keys["s3:signatureversion"] = ("AWS4-HMAC-SHA256",)
        keys["s3:tlsversion"] = ("1.3",)
    if prefix == "kms":
        keys["kms:calleraccount"] = (call.principal.account,)
        if call.invoked_by:
            keys["kms:viaservice"] = (call.invoked_by.replace(".", f".{call.region}.", 1),)
    return keys


@cache
def _wire_names(operation: OperationModel) -> dict[str, str]:
    shape = operation.input_shape
    members = shape.members.items() if shape else ()
    return {
        name: member.serialization["name"]
        for name, member in members
        if member.serialization.get("location") in ("header", "querystring")
        and "name" in member.serialization
    }
