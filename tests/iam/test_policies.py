"""Documents that IAM refuses, and with which words."""

# ruff: noqa: E501

from __future__ import annotations

import json

import pytest

from homeport.engine.services.iam.policies import MalformedPolicy, PolicyKind, parse_policy

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def complaint(document: object, kind: PolicyKind = PolicyKind.IDENTITY) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(MalformedPolicy) as refused:
        parse_policy(text, kind)
    return str(refused.value)


def statement(**changes: object) -> dict:
    body = {**ALLOW, **changes}
    return {
        "Version": "2012-10-17",
        "Statement": {key: value for key, value in body.items() if value is not None},
    }


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ("[]", "Syntax errors in policy."),
        ({"Version": "2012-10-17", "Statement": []}, "Syntax errors in policy."),
        ({"Version": "2012-10-17", "Statements": [ALLOW]}, "Syntax errors in policy."),
        ({"Version": "2010-10-17", "Statement": [ALLOW]}, "Syntax errors in policy."),
        (statement(Effect="allow"), "Syntax errors in policy."),
        (statement(Effect=None), "Missing required field Effect"),
        (statement(Other=1), "Syntax errors in policy."),
        (statement(Action=None), "Policy statement must contain actions."),
        (statement(Action=[]), "Policy statement must contain actions."),
        (statement(NotAction="s3:*"), "Syntax errors in policy."),
        (statement(Action="GetObject"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (statement(Action="s3:a:b"), "Actions/Condition can contain only one colon."),
        (statement(Action="a b:c"), "Vendor a b is not valid"),
        (statement(Resource=None), "Policy statement must contain resources."),
        (statement(Resource="bucket"), 'Resource bucket must be in ARN format or "*".'),
        (
            statement(Resource="arn:here:s3:::b"),
            'Partition "here" is not valid for resource "arn:here:s3:::b".',
        ),
        (statement(Resource="arn:aws:s3:us-east-1::b"), "Resource arn:aws:s3:us-east-1::b can not contain region information."),
        (
            statement(Resource="arn:aws:iam:us-east-1:123456789012:role/r"),
            "IAM resource arn:aws:iam:us-east-1:123456789012:role/r cannot contain region information.",
        ),
        (statement(Principal="*"), "Policy document should not specify a principal."),
        (statement(Condition={"StringSounds": {"a": "b"}}), "Invalid Condition type : StringSounds"),
        (
            {"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "a"}, {**ALLOW, "Sid": "a"}]},
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "Syntax errors in policy."),
    ],
)  # fmt: skip
def test_identity_policy_is_refused(document: object, message: str) -> None:
    assert complaint(document) == message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (statement(Action="sts:AssumeRole", Resource=None), "Missing required field Principal"),
        (statement(Action="sts:AssumeRole", Principal="*"), "Has prohibited field Resource"),
        (
            statement(Resource=None, Principal="*"),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            statement(Action="sts:AssumeRole", Resource=None, Principal={"AWS": "me"}),
            'Invalid principal in policy: "AWS":"me"',
        ),
    ],
)
def test_trust_policy_is_refused(document: object, message: str) -> None:
    assert complaint(document, PolicyKind.TRUST) == message


def test_a_trust_policy_may_be_of_the_old_version() -> None:
    old = {**statement(Action="sts:AssumeRole", Resource=None, Principal={"Service": "ecs.amazonaws.com"})}

    assert parse_policy(json.dumps({**old, "Version": "2008-10-17"}), PolicyKind.TRUST).statements
