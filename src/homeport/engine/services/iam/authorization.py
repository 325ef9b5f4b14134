"""Authorization of calls: what a call asks, by which policies it is judged, and the refusal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homeport.engine.services.iam import tables
from homeport.engine.services.iam.actions import action_named, prefix_of
from homeport.engine.services.iam.context import action_keys, global_keys, principal_keys
from homeport.engine.services.iam.denials import refusal, told
from homeport.engine.services.iam.evaluation import (
    Attached,
    Decision,
    Policies,
    Question,
    denial,
    evaluate,
)
from homeport.engine.services.iam.lookup import managed_document
from homeport.engine.services.iam.patterns import Values
from homeport.engine.services.iam.permissions import PermissionBook, Permissions
from homeport.engine.services.iam.policies import PolicyKind, parse_policy
from homeport.engine.services.iam.resources import Ask, Where, asks
from homeport.engine.services.iam.targets import resource_tags, true_resource
from homeport.engine.services.seal import Seal
from homeport.engine.services.service import Operation
from homeport.engine.store.database import Place, Scope
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Principal

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

_PASS_ROLE = action_named("iam", "PassRole")
_ADMITTED = {("lambda", "Invoke")}
"""Operations that services, too, may call only where the resource's policy admits them."""


class Authorization:
    """Judges every call of an engine."""

    def __init__(self, engine: Engine, book: PermissionBook, seal: Seal) -> None:
        self._engine = engine
        self._book = book
        self._seal = seal

    async def authorize(self, call: Call, operation: Operation | None) -> None:
        """Raise the service's access denied error unless the principal may make this call."""
        await self._admit(call, self._asked(call, operation, _where(call)))

    async def check_passing(self, call: Call, roles: Iterable[str], service: str) -> None:
        """Raise the service's access denied error unless the principal of a call may pass these roles, too."""
        await self._admit(call, ((_passing(role, call.account), service) for role in roles))

    async def _admit(self, call: Call, asked: Iterable[tuple[Ask, str]]) -> None:
        if _is_services_own(call) or self._is_roots_own(call):
            call.decision = {"allowed": True}
            return
        for ask, passed_to in asked:
            question, decision = await self._judge(call, ask, passed_to)
            if not decision.allowed:
                call.decision = told(question, decision)
                raise refusal(call, question, decision, self._seal)
            if call.decision:
                also = {"action": question.action, "resource": question.resource}
                call.decision.setdefault("also", []).append(also)
            else:
                call.decision = told(question, decision)

    def check_assumption(
        self, principal: Principal, role: Mapping[str, Any], session: str, region: str
    ) -> None:
        """Raise AccessDenied unless a service, or a role that a service acts in, may assume the role."""
        account = _account(role["Arn"])
        permissions = self._book.of(principal)
        context = principal_keys(principal, permissions) | {"sts:rolesessionname": (session,)}
        if principal.type == "Service":
            vendor = principal.arn.removesuffix(".amazonaws.com").removesuffix("-tasks")
            context["aws:sourceaccount"] = (account,)
            context["aws:sourcearn"] = (f"arn:aws:{vendor}:{region}:{account}:*",)
        own = self.policies_of(principal, permissions)
        question = Question(principal, "sts:AssumeRole", role["Arn"], context, account)
        decision = evaluate(question, _with_trust(own, role))
        if not decision.allowed:
            raise AwsError("AccessDenied", denial(question, decision), 403)

    def policies_of(self, principal: Principal, permissions: Permissions) -> Policies:
        """The policies that go with a principal, whatever the resource."""
        session: tuple[Attached, ...] | None = None
        if principal.session_policies or principal.type == "FederatedUser":
            session = tuple(self._session_policies(principal))
        return Policies(permissions.identity, permissions.boundary, session)

    def _asked(self, call: Call, operation: Operation | None, where: Where) -> Iterator[tuple[Ask, str]]:
        """All that is asked, and of each role that is passed to which service."""
        if call.principal.session_context.get("user_session") and call.service == "iam":
            raise AwsError("AccessDenied", "Cannot call IAM with the credentials of GetSessionToken", 403)
        for ask in asks(call.service, call.name, call.params, where):
            yield ask, ""
        for path, service in (operation.pass_role if operation else {}).items():
            for role in dict.fromkeys(_values(call.params, path.split("."))):
                yield _passing(role, where.account), service

    async def _judge(self, call: Call, ask: Ask, passed_to: str) -> tuple[Question, Decision]:
        ask = ask._replace(resource=await true_resource(self._engine, call, ask))
        permissions = self._book.of(call.principal)
        policies = await self._with_resource_policy(call, ask, self.policies_of(call.principal, permissions))
        account = _account(ask.resource) or call.account
        keys = permissions.keys.union(
            *(one.policy.condition_keys for one in (*(policies.session or ()), *_one(policies.resource)))
        )
        context: dict[str, Values] = {}
        if keys or call.service == "ec2":  # whose denials tell the context
            context = global_keys(call, permissions, self._engine.now())
            context |= action_keys(call, ask, _where(call), account)
            context |= await self._tag_keys(call, ask, keys)
            if passed_to:
                context["iam:passedtoservice"] = (passed_to,)
        question = Question(call.principal, ask.action, ask.resource, context, account)
        return question, evaluate(question, policies)

    def _is_roots_own(self, call: Call) -> bool:
        """Whether the root user calls what no resource policy can deny it."""
        service = self._engine.services.get(call.service)
        with_policies = call.service == "sts" or bool(service and service.resource_policy)
        user_session = "user_session" in call.principal.session_context
        return call.principal.type == "Root" and not with_policies and not user_session

    async def _with_resource_policy(self, call: Call, ask: Ask, own: Policies) -> Policies:
        if ask.action.startswith("sts:") and ":role/" in ask.resource:
            return _with_trust(own, self.role(ask.resource))
        service = self._engine.services.get(call.service)
        if (
            service is None
            or service.resource_policy is None
            or ask.resource == "*"
            or ask.entry is _PASS_ROLE
        ):
            return own
        scope = Scope(call.account, call.region)
        document = await service.resource_policy(self._engine.context(call.service, scope), ask.resource)
        if document is None:
            return own
        text = document if isinstance(document, str) else json.dumps(document)
        policy = Attached(ask.resource, parse_policy(text, PolicyKind.RESOURCE))
        decides = call.service == "kms"
        return Policies(own.identity, own.boundary, own.session, policy, resource_decides=decides)

    async def _tag_keys(self, call: Call, ask: Ask, keys: frozenset[str]) -> dict[str, Values]:
        wanted = any("resourcetag/" in key or "existingobjecttag/" in key for key in keys)
        if ask.resource == "*" or not wanted:
            return {}
        tags = await resource_tags(self._engine, call, ask.resource)
        owners = ["aws", prefix_of(call.service)]
        if ask.resource.startswith("arn:aws:iam:"):
            owners.append("iam")  # whose role sts assumes, or a service is passed
        names = [*(f"{owner}:resourcetag" for owner in owners), "s3:existingobjecttag"]
        return {f"{key}/{name}".lower(): (value,) for name, value in tags.items() for key in names}

    def role(self, arn: str) -> dict[str, Any] | None:
        """The role of this ARN, if it exists."""
        at = Place(self._engine.store, Scope(_account(arn), tables.GLOBAL))
        role = tables.ROLES.get(at, arn.rpartition("/")[2])
        return role if role and role["Arn"] == arn else None

    def _session_policies(self, principal: Principal) -> Iterator[Attached]:
        at = Place(self._engine.store, Scope(principal.account, tables.GLOBAL))
        for given in principal.session_policies:
            document = managed_document(at, given) if given.startswith("arn:") else given
            if document is not None:
                yield Attached(given if document is not given else "session", parse_policy(document))


def _is_services_own(call: Call) -> bool:
    """Whether a service calls what no resource policy has to admit it to."""
    return call.principal.type == "Service" and (call.service, call.name) not in _ADMITTED


def _passing(role: str, account: str) -> Ask:
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{account}:role/{role}"
    return Ask("iam:PassRole", arn, _PASS_ROLE)


def _with_trust(own: Policies, role: Mapping[str, Any] | None) -> Policies:
    """A principal's policies beside a role's trust policy, which decides; no role trusts nobody."""
    trust: Attached | None = None
    if role is not None:
        trust = Attached(role["Arn"], parse_policy(role["AssumeRolePolicyDocument"], PolicyKind.TRUST))
    return Policies(own.identity, own.boundary, own.session, trust, trust=True, resource_decides=True)


def _where(call: Call) -> Where:
    """Where the resources of a call are: the caller's account, but for ECR, whose requests may name a registry."""
    registry = call.params.get("registryId") if call.service == "ecr" else None
    return Where(registry or call.account, call.region)


def _account(arn: str) -> str:
    return arn.split(":", 5)[4] if arn.count(":") >= 5 else ""


def _one(attached: Attached | None) -> tuple[Attached, ...]:
    return (attached,) if attached else ()


def _values(value: Any, path: list[str]) -> Iterator[str]:
    """The strings under a dotted path; `name[]` goes through a list."""
    if not path:
        if isinstance(value, str) and value:
            yield value
        return
    step, rest = path[0], path[1:]
    inner = value.get(step.removesuffix("[]")) if isinstance(value, Mapping) else None
    if step.endswith("[]"):
        for item in inner or ():
            yield from _values(item, rest)
    elif inner is not None:
        yield from _values(inner, rest)
