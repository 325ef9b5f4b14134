"""Sessions of roles. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

Whether the role trusts the caller has been decided when these run: the role's trust policy is its resource policy.
On AWS the root user may not assume roles at all. Here it may, where the role trusts its account: it is whom an engine's
own user works as, and tools such as the CDK assume roles.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import checked_document
from homeport.engine.services.iam.identity import role_session
from homeport.engine.services.iam.lookup import managed_policy
from homeport.engine.services.service import operation
from homeport.engine.services.sts.callers import identity
from homeport.engine.wire.errors import AwsError

MAX_CHAINED = 3600
MAX_PACKED = 2048


@operation
async def assume_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    role = identity(ctx).authorization.role(request["RoleArn"])
    if role is None:
        raise AwsError(
            "AccessDenied",
            f"User: {ctx.principal.arn} is not authorized to perform: sts:AssumeRole on resource: "
            f"{request['RoleArn']}",
            403,
        )
    seconds = _seconds(ctx, role, request.get("DurationSeconds"))
    policies = session_policies(ctx, request)
    session = role_session(role, request["RoleSessionName"], ctx.account)
    context: dict[str, Any] = {}
    if source := request.get("SourceIdentity") or ctx.principal.session_context.get("source_identity"):
        context["source_identity"] = source
    tags = _tags(ctx, request)
    if transitive := _transitive(ctx, request):
        context["transitive"] = transitive
    session = replace(session, session_policies=policies, session_tags=tags, session_context=context)
    answer: dict[str, Any] = {
        "Credentials": identity(ctx).sessions.issue(session, seconds, ctx.now()),
        "AssumedRoleUser": {"AssumedRoleId": session.id, "Arn": session.arn},
    }
    if policies:
        answer["PackedPolicySize"] = min(100, sum(map(len, policies)) * 100 // MAX_PACKED)
    if source:
        answer["SourceIdentity"] = source
    return answer


@operation
async def assume_role_with_web_identity(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    raise AwsError(
        "InvalidIdentityToken",
        "homeport cannot verify the tokens of OpenID Connect providers. Use AssumeRole with an access key instead.",
        400,
    )


@operation
async def assume_role_with_saml(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    raise AwsError(
        "InvalidIdentityToken",
        "homeport cannot verify SAML assertions. Use AssumeRole with an access key instead.",
        400,
    )


def session_policies(ctx: Context, request: dict[str, Any]) -> tuple[str, ...]:
    """The session policies of a request: a document, ARNs of managed policies. Raises MalformedPolicyDocument,
    PackedPolicyTooLarge."""
    found: list[str] = []
    if document := request.get("Policy"):
        found.append(json.dumps(json.loads(checked_document(document)), separators=(",", ":")))
    for policy in request.get("PolicyArns") or ():
        found.append(managed_policy(tables.everywhere(ctx), policy["arn"])["Arn"])
    if sum(map(len, found)) > MAX_PACKED:
        raise AwsError(
            "PackedPolicyTooLarge",
            f"Packed policy consumes {sum(map(len, found)) * 100 // MAX_PACKED}% of allotted space, please use "
            "smaller policy.",
        )
    return tuple(found)


def _seconds(ctx: Context, role: dict[str, Any], asked: int | None) -> int:
    chained = ctx.principal.type == "AssumedRole"
    if chained and (asked or 0) > MAX_CHAINED:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    if asked and asked > role["MaxSessionDuration"]:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return asked or 3600


def _transitive(ctx: Context, request: dict[str, Any]) -> list[str]:
    inherited = ctx.principal.session_context.get("transitive", [])
    return [*inherited, *(request.get("TransitiveTagKeys") or [])]


def _tags(ctx: Context, request: dict[str, Any]) -> dict[str, str]:
    inherited = {
        key: value
        for key, value in ctx.principal.session_tags.items()
        if key in ctx.principal.session_context.get("transitive", [])
    }
    given = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
    if clash := inherited.keys() & given.keys():
        raise AwsError(
            "InvalidParameterValue",
            f"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            f"from the calling session: {', '.join(sorted(clash))}.",
        )
    return inherited | given
