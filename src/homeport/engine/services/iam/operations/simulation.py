"""The policy simulator: what would be decided, and by which statements.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import KINDS, Body, checked_document
from homeport.engine.services.iam.evaluation import (
    Attached,
    Layer,
    Policies,
    Question,
    evaluate,
    matching_statements,
)
from homeport.engine.services.iam.patterns import RequestContext
from homeport.engine.services.iam.permissions import PermissionBook, Permissions
from homeport.engine.services.iam.policies import PolicyKind, condition_keys, parse_policy
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Principal


@operation
async def simulate_principal_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    principal, permissions = _source(at, request["PolicySourceArn"])
    if caller := request.get("CallerArn"):
        principal, _ = _source(at, caller)
    extra = _given(request.get("PolicyInputList"), "PolicyInputList")
    boundary = _given(request.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicyInputList")
    policies = Policies(
        (*permissions.identity, *extra), boundary or permissions.boundary, None, _resource_policy(request)
    )
    return _simulate(ctx, request, principal, policies)


@operation
async def simulate_custom_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    arn = request.get("CallerArn") or ctx.arn("user/simulated", service="iam", region="")
    principal = (
        _source(at, arn)[0] if request.get("CallerArn") else Principal("User", ctx.account, arn, "AIDA")
    )
    policies = Policies(
        _given(request["PolicyInputList"], "PolicyInputList"),
        _given(request.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicyInputList")
        or None,
        None,
        _resource_policy(request),
    )
    return _simulate(ctx, request, principal, policies)


@operation
async def get_context_keys_for_custom_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"ContextKeyNames": _key_names(request["PolicyInputList"])}


@operation
async def get_context_keys_for_principal_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _, permissions = _source(tables.everywhere(ctx), request["PolicySourceArn"])
    own = set(permissions.keys)
    return {"ContextKeyNames": sorted(own | set(_key_names(request.get("PolicyInputList") or [])))}


def _simulate(ctx: Context, request: dict[str, Any], principal: Principal, policies: Policies) -> Body:
    context = _context(request) | dict(_principal_keys(principal))
    account = (request.get("ResourceOwner") or "").split(":")[-2:][0] or ctx.account
    known = frozenset(context)
    results: list[Body] = []
    for action in request["ActionNames"]:
        for resource in request.get("ResourceArns") or ["*"]:
            question = Question(principal, action, resource, context, account)
            results.append(_result(question, policies, known))
    chunk, marker = page(
        list(enumerate(results)),
        request.get("MaxItems") or 100,
        request.get("Marker"),
        lambda item: item[0],
        error="InvalidInput",
    )
    answer: Body = {"EvaluationResults": [body for _, body in chunk], "IsTruncated": marker is not None}
    return answer | ({"Marker": marker} if marker else {})


def _result(question: Question, policies: Policies, known: frozenset[str]) -> Body:
    decision = evaluate(question, policies)
    word = "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny"
    matched = matching_statements(question, policies)
    if decision.explicit:
        matched = [match for match in matched if decision.by and match == decision.by] or matched
    asked = {key for one in _all(policies) for key in one.policy.condition_keys}
    body: Body = {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": word,
        "MatchedStatements": [
            {"SourcePolicyId": match.source.rpartition("/")[2], "SourcePolicyType": _type(match.layer)}
            for match in matched
        ],
        "MissingContextValues": sorted(asked - known),
    }
    if policies.boundary is not None:
        inside = Policies(identity=policies.boundary)
        body["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": evaluate(question, inside).allowed
        }
    return body


def _type(layer: Layer) -> str:
    return "Resource Policy" if layer is Layer.RESOURCE else "IAM Policy"


def _all(policies: Policies) -> Iterable[Attached]:
    yield from policies.identity
    yield from policies.boundary or ()
    if policies.resource:
        yield policies.resource


def _source(at: At, arn: str) -> tuple[Principal, Permissions]:
    """The principal of a user, group or role, with its permissions. Raises InvalidInput, NoSuchEntity."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    if kind not in KINDS or not path:
        raise AwsError(
            "InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )
    name = path.rpartition("/")[2]
    body = KINDS[kind].get(at, name)
    permissions = PermissionBook(at.store).of_entity(at.scope.account, kind, name) or Permissions()
    id = body[f"{KINDS[kind].noun}Id"]
    if kind == "role":
        session = f"arn:aws:sts::{at.scope.account}:assumed-role/{name}/simulated"
        principal = Principal("AssumedRole", at.scope.account, session, f"{id}:simulated", issuer=body["Arn"])
        return principal, permissions
    return Principal("User", at.scope.account, body["Arn"], id), permissions


def _given(documents: list[str] | None, member: str) -> tuple[Attached, ...]:
    return tuple(
        Attached(f"{member}.{at}", parse_policy(checked_document(document)))
        for at, document in enumerate(documents or (), 1)
    )


def _resource_policy(request: dict[str, Any]) -> Attached | None:
    document = request.get("ResourcePolicy")
    if not document:
        return None
    return Attached(
        "ResourcePolicy", parse_policy(checked_document(document, PolicyKind.RESOURCE), PolicyKind.RESOURCE)
    )


def _context(request: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ())
        for entry in request.get("ContextEntries") or ()
    }


def _principal_keys(principal: Principal) -> RequestContext:
    keys = {
        "aws:principalarn": (principal.issuer or principal.arn,),
        "aws:principalaccount": (principal.account,),
        "aws:principaltype": (principal.type,),
        "aws:userid": (principal.id,),
    }
    if principal.type == "User":
        keys["aws:username"] = (principal.arn.rpartition("/")[2],)
    return keys


def _key_names(documents: list[str]) -> list[str]:
    return sorted({key for one in documents for key in condition_keys(json.loads(checked_document(one)))})
