"""AWS's evaluation logic: examples after its documentation, and laws that hold for any policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.iam.evaluation import (
    Attached,
    Decision,
    Layer,
    Policies,
    Question,
    denial,
    evaluate,
)
from homeport.engine.services.iam.policies import PolicyKind, parse_policy
from homeport.engine.wire.principal import ANONYMOUS, Principal, root, service

ACCOUNT = "123456789012"
USER = Principal("User", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ann", "AIDAANN")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = Principal(
    "AssumedRole", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one", "AROAAPP:one", issuer=ROLE_ARN
)


def attached(*statements: dict[str, Any], kind: PolicyKind = PolicyKind.IDENTITY) -> Attached:
    return Attached(
        "policy", parse_policy(json.dumps({"Version": "2012-10-17", "Statement": statements}), kind)
    )


def resource_policy(*statements: dict[str, Any]) -> Attached:
    return attached(*statements, kind=PolicyKind.RESOURCE)


def allow(action: str | list[str] = "*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str | list[str] = "*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def decide(
    policies: Policies,
    principal: Principal = USER,
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::b/k",
    account: str = ACCOUNT,
    **context: str,
) -> Decision:
    keys = {key.replace("__", ":").lower(): (value,) for key, value in context.items()}
    return evaluate(Question(principal, action, resource, keys, account), policies)


def test_nothing_is_allowed_that_no_policy_allows() -> None:
    refused = decide(Policies())

    assert (refused.allowed, refused.layer, refused.explicit) == (False, Layer.IDENTITY, False)


def test_the_root_user_needs_no_policy() -> None:
    assert decide(Policies(), root(ACCOUNT)).allowed


def test_actions_are_matched_without_case_and_resources_with_it() -> None:
    policies = Policies(identity=(attached(allow("S3:get*", "arn:aws:s3:::b/*")),))

    assert decide(policies).allowed
    assert not decide(policies, resource="arn:aws:s3:::B/k").allowed
    assert not decide(policies, action="s3:PutObject").allowed


def test_not_action_and_not_resource_cover_the_rest() -> None:
    policies = Policies(
        identity=(
            attached(
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
            ),
        )
    )

    assert decide(policies).allowed
    assert not decide(policies, action="iam:GetUser", resource="*").allowed
    assert decide(policies, resource="arn:aws:s3:::other/k").explicit


def test_an_explicit_deny_wins_in_every_layer() -> None:
    everything = (attached(allow()),)
    for layer, policies in {
        Layer.IDENTITY: Policies(identity=(*everything, attached(deny(Sid="No")))),
        Layer.BOUNDARY: Policies(identity=everything, boundary=(attached(allow(), deny(Sid="No")),)),
        Layer.SESSION: Policies(identity=everything, session=(attached(allow(), deny(Sid="No")),)),
        Layer.RESOURCE: Policies(
            identity=everything, resource=resource_policy(deny(Sid="No", Principal={"AWS": "*"}))
        ),
    }.items():
        refused = decide(policies)
        assert (refused.allowed, refused.explicit, refused.layer) == (False, True, layer)
        assert refused.by is not None
        assert refused.by.statement == "No"


def test_a_boundary_and_a_session_policy_only_limit() -> None:
    limit = (attached(allow("s3:Get*")),)
    identity = (attached(allow("s3:*")),)

    assert decide(Policies(identity=identity, boundary=limit)).allowed
    assert decide(Policies(identity=identity, boundary=limit), action="s3:PutObject").layer is Layer.BOUNDARY
    assert decide(Policies(identity=identity, session=limit), action="s3:PutObject").layer is Layer.SESSION
    assert decide(Policies(boundary=limit)).layer is Layer.IDENTITY


@pytest.mark.parametrize(
    ("named", "principal", "with_boundary", "expected"),
    [
        (USER.arn, USER, True, True),
        (ROLE_ARN, SESSION, False, True),
        (ROLE_ARN, SESSION, True, False),
        (SESSION.arn, SESSION, True, True),
        (ACCOUNT, USER, False, False),
        (f"arn:aws:iam::{ACCOUNT}:root", SESSION, False, False),
        ("*", USER, False, True),
        ("arn:aws:iam::123456789012:user/bob", USER, False, False),
    ],
)
def test_a_resource_policy_grants_by_itself_within_the_account(
    named: str, principal: Principal, with_boundary: bool, expected: bool
) -> None:
    policies = Policies(
        resource=resource_policy(allow(Principal={"AWS": named})),
        boundary=(attached(allow("ec2:*")),) if with_boundary else None,
    )

    assert decide(policies, principal).allowed is expected


def test_across_accounts_both_sides_must_allow() -> None:
    identity = (attached(allow()),)
    resource = resource_policy(allow(Principal={"AWS": USER.arn}))

    assert decide(Policies(identity=identity, resource=resource), account="210987654321").allowed
    assert decide(Policies(identity=identity), account="210987654321").layer is Layer.RESOURCE
    assert decide(Policies(resource=resource), account="210987654321").layer is Layer.IDENTITY


def test_where_the_resource_decides_identity_policies_count_only_if_it_names_the_account() -> None:
    identity = (attached(allow("s3:*")),)
    to_account = resource_policy(allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    to_others = resource_policy(allow(Principal={"AWS": "arn:aws:iam::123456789012:user/bob"}))

    assert decide(Policies(identity=identity, resource=to_account, resource_decides=True)).allowed
    assert not decide(Policies(resource=to_account, resource_decides=True)).allowed
    assert not decide(Policies(identity=identity, resource=to_others, resource_decides=True)).allowed


def test_services_and_strangers_have_only_the_resources_policy() -> None:
    trusted = resource_policy(allow(Principal={"Service": "ecs-tasks.amazonaws.com"}))
    public = resource_policy(allow(Principal="*"))

    assert decide(Policies(resource=trusted), service("ecs-tasks", ACCOUNT)).allowed
    assert not decide(Policies(resource=trusted), service("ec2", ACCOUNT)).allowed
    assert not decide(Policies(resource=trusted), ANONYMOUS).allowed
    assert decide(Policies(resource=public), ANONYMOUS).allowed


def test_not_principal_denies_all_but_the_named() -> None:
    exempt = {"AWS": [USER.arn, f"arn:aws:iam::{ACCOUNT}:root"]}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": exempt}
    policies = Policies(identity=(attached(allow()),), resource=resource_policy(statement))

    assert decide(policies, USER).allowed
    assert decide(policies, root(ACCOUNT)).allowed
    assert decide(policies, SESSION).explicit


def test_variables_in_resources() -> None:
    policies = Policies(identity=(attached(allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")),))

    assert decide(policies, resource="arn:aws:s3:::home/ann/x", aws__username="ann").allowed
    assert not decide(policies, resource="arn:aws:s3:::home/bob/x", aws__username="ann").allowed
    assert not decide(policies, resource="arn:aws:s3:::home//x").allowed


def test_a_variable_without_a_value_leaves_its_statement_out_even_where_it_is_negated() -> None:
    others = {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::home/${aws:username}/*"}
    elsewhere = allow(Condition={"StringNotEquals": {"s3:prefix": "${aws:username}"}})

    for statement in (others, elsewhere):
        policies = Policies(identity=(attached(statement),))
        assert decide(policies, aws__username="ann", s3__prefix="x").allowed
        assert not decide(policies, s3__prefix="x").allowed


def test_the_sentences_of_denials() -> None:
    ask = Question(USER, "s3:GetObject", "arn:aws:s3:::b/k", {}, ACCOUNT)
    start = f"User: {USER.arn} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k "

    assert denial(ask, evaluate(ask, Policies())) == start + (
        "because no identity-based policy allows the s3:GetObject action"
    )
    assert denial(ask, evaluate(ask, Policies(identity=(attached(deny()),)))) == start + (
        "with an explicit deny in an identity-based policy"
    )
    blocked = Policies(resource=resource_policy(deny(Principal="*")))
    assert denial(ask, evaluate(ask, blocked)) == start + "with an explicit deny in a resource-based policy"
    bounded = Policies(identity=(attached(allow()),), boundary=())
    assert denial(ask, evaluate(ask, bounded)) == start + (
        "because no permissions boundary allows the s3:GetObject action"
    )


ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:GetUser", "ecs:RunTask"])
RESOURCES = st.sampled_from(
    ["*", "arn:aws:s3:::b/k", "arn:aws:s3:::b/*", "arn:aws:s3:::c/k", "arn:aws:ecs:*:*:*"]
)
PATTERNS = st.sampled_from(["*", "s3:*", "s3:Get*", "iam:*", "ecs:RunTask", "s3:?etObject"])
STATEMENTS = st.builds(
    lambda effect, action, resource, negated: {
        "Effect": effect, ("NotAction" if negated else "Action"): action, "Resource": resource,
    },
    st.sampled_from(["Allow", "Deny"]), PATTERNS, RESOURCES, st.booleans(),
)  # fmt: skip
DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=4).map(lambda found: attached(*found))
IDENTITIES = st.lists(DOCUMENTS, max_size=3).map(tuple)
LAYERS = st.builds(
    Policies, identity=IDENTITIES, boundary=st.none() | IDENTITIES, session=st.none() | IDENTITIES
)


def with_identity(policies: Policies, *more: Attached) -> Policies:
    return Policies((*policies.identity, *more), policies.boundary, policies.session, policies.resource)


@given(LAYERS, ACTIONS)
def test_law_a_deny_of_all_always_wins(policies: Policies, action: str) -> None:
    refused = decide(with_identity(policies, attached(deny())), action=action)

    assert not refused.allowed
    assert refused.explicit


@given(LAYERS, ACTIONS, PATTERNS, RESOURCES)
def test_law_an_allow_never_takes_away(policies: Policies, action: str, pattern: str, resource: str) -> None:
    before = decide(policies, action=action)

    after = decide(with_identity(policies, attached(allow(pattern, resource))), action=action)

    assert after.allowed or not before.allowed


@given(LAYERS, ACTIONS, DOCUMENTS)
def test_law_a_limit_never_gives(policies: Policies, action: str, limit: Attached) -> None:
    limited = Policies(policies.identity, (limit,), policies.session)
    free = Policies(policies.identity, None, policies.session)

    assert decide(free, action=action).allowed or not decide(limited, action=action).allowed


@given(st.lists(DOCUMENTS, min_size=2, max_size=4), ACTIONS)
def test_law_the_order_of_policies_is_nothing(documents: list[Attached], action: str) -> None:
    forth = decide(Policies(identity=tuple(documents)), action=action)
    back = decide(Policies(identity=tuple(reversed(documents))), action=action)

    assert (forth.allowed, forth.explicit) == (back.allowed, back.explicit)
