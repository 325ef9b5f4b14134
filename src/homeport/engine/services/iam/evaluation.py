"""The decision: may this principal do this action on this resource.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from homeport.engine.services.iam.patterns import RequestContext
from homeport.engine.services.iam.policies import Policy, Statement
from homeport.engine.services.iam.principals import Grant, grant_of
from homeport.engine.wire.principal import Principal


class Layer(Enum):
    """The kinds of policies that take part; the values are the words of AWS's denials."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True, slots=True)
class Attached:
    """A policy and where it stands: its ARN, or the ARN of what it is embedded in and its name."""

    source: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies that apply to a call. None: there is no such layer; empty: the layer allows nothing."""

    identity: tuple[Attached, ...] = ()
    boundary: tuple[Attached, ...] | None = None
    session: tuple[Attached, ...] | None = None
    resource: Attached | None = None
    trust: bool = False
    """The resource's policy is a role's trust policy."""
    resource_decides: bool = False
    """Identity-based policies count only where the resource's own policy names the account: keys and roles."""


@dataclass(frozen=True, slots=True)
class Question:
    """One action on one resource, asked by a principal."""

    principal: Principal
    action: str
    resource: str
    context: RequestContext
    resource_account: str


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that took part in a decision."""

    layer: Layer
    source: str
    statement: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, and by which layer and which statement."""

    allowed: bool
    layer: Layer
    explicit: bool = False
    by: Match | None = None


def evaluate(question: Question, policies: Policies) -> Decision:
    """AWS's evaluation: an explicit deny wins, then something must allow, and every limit must allow too."""
    if denied := next(_matches(question, policies, allows=False), None):
        return Decision(False, denied.layer, explicit=True, by=denied)
    layer = Layer.TRUST if policies.trust else Layer.RESOURCE
    grant, granted = _resource_grant(question, policies, layer)
    principal = question.principal
    if principal.type in ("Service", "Anonymous"):
        return Decision(grant > Grant.NONE, layer, by=granted)
    same_account = principal.account == question.resource_account
    if grant is Grant.DIRECT and same_account:
        return Decision(True, layer, by=granted)
    if grant is Grant.NONE and (policies.resource_decides or not same_account):
        return Decision(False, layer)
    allowed = granted
    if not (grant is Grant.ROLE and same_account):
        allowed = _first(question, policies.identity, Layer.IDENTITY)
        if allowed is None and principal.type != "Root":
            return Decision(False, Layer.IDENTITY)
    for limit, attached in ((Layer.BOUNDARY, policies.boundary), (Layer.SESSION, policies.session)):
        if attached is not None and _first(question, attached, limit) is None:
            return Decision(False, limit)
    return Decision(True, allowed.layer if allowed else Layer.IDENTITY, by=allowed)


def matching_statements(question: Question, policies: Policies) -> list[Match]:
    """Every statement about this question, denying ones first: what the policy simulator lists."""
    return [*_matches(question, policies, allows=False), *_matches(question, policies, allows=True)]


def denial(question: Question, decision: Decision) -> str:
    """The sentence of an access denied error."""
    return (
        f"User: {question.principal.arn} is not authorized to perform: {question.action} "
        f"on resource: {question.resource} {_reason(question.action, decision)}"
    )


def _reason(action: str, decision: Decision) -> str:
    layer = decision.layer.value
    if not decision.explicit:
        return f"because no {layer} allows the {action} action"
    if decision.layer is Layer.TRUST:
        return f"with an explicit deny in the {layer}"
    return f"with an explicit deny in {'an' if layer[0] == 'i' else 'a'} {layer}"


def _matches(question: Question, policies: Policies, *, allows: bool) -> Iterator[Match]:
    for layer, attached in (
        (Layer.IDENTITY, policies.identity),
        (Layer.BOUNDARY, policies.boundary),
        (Layer.SESSION, policies.session),
    ):
        yield from _covering(question, attached or (), layer, allows=allows)
    if policies.resource:
        layer = Layer.TRUST if policies.trust else Layer.RESOURCE
        for statement in _statements(question, policies.resource, allows=allows):
            if grant_of(statement, question.principal):
                yield Match(layer, policies.resource.source, statement.name)


def _resource_grant(question: Question, policies: Policies, layer: Layer) -> tuple[Grant, Match | None]:
    best: tuple[Grant, Match | None] = (Grant.NONE, None)
    if policies.resource is None:
        return best
    for statement in _statements(question, policies.resource, allows=True):
        grant = grant_of(statement, question.principal)
        if grant > best[0]:
            best = (grant, Match(layer, policies.resource.source, statement.name))
    return best


def _first(question: Question, attached: Iterable[Attached], layer: Layer) -> Match | None:
    return next(_covering(question, attached, layer, allows=True), None)


def _covering(
    question: Question, attached: Iterable[Attached], layer: Layer, *, allows: bool
) -> Iterator[Match]:
    for one in attached:
        for statement in _statements(question, one, allows=allows):
            yield Match(layer, one.source, statement.name)


def _statements(question: Question, attached: Attached, *, allows: bool) -> Iterator[Statement]:
    action = question.action.lower()
    for statement in attached.policy.statements:
        if statement.allows is allows and statement.covers(action, question.resource, question.context):
            yield statement
