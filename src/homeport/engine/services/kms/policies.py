"""Key policies, and grants as the allowances that they are. IAM reads both on each call.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam.evaluation import Attached, Policies, Question, evaluate
from homeport.engine.services.iam.policies import MalformedPolicy, PolicyKind, parse_policy
from homeport.engine.services.kms.keys import KEYS
from homeport.engine.wire.errors import AwsError

_EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the key with this ARN, with a statement for each of its grants."""
    key = KEYS.get(ctx, arn.rpartition("/")[2]) if ":key/" in arn else None
    if key is None:
        return None
    policy = json.loads(key["Policy"])
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    return policy | {"Statement": [*statements, *map(_allowance, key["Grants"])]}


def checked_policy(ctx: Context, document: str, *, bypass: bool) -> str:
    """The document, if it is a key policy that leaves its author in control of the key. Raises
    MalformedPolicyDocumentException."""
    try:
        policy = parse_policy(document, PolicyKind.RESOURCE)
    except MalformedPolicy as complaint:
        raise AwsError("MalformedPolicyDocumentException", str(complaint)) from None
    question = Question(ctx.principal, "kms:PutKeyPolicy", "*", {}, ctx.account)
    policies = Policies(
        identity=(Attached("", parse_policy(_EVERYTHING)),),
        resource=Attached("", policy),
        resource_decides=True,
    )
    if not bypass and ctx.principal.type != "Service" and not evaluate(question, policies).allowed:
        raise AwsError(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )
    return document


def _allowance(grant: dict[str, Any]) -> dict[str, Any]:
    who = grant["GranteePrincipal"]
    kind = "Service" if who.endswith(".amazonaws.com") else "AWS"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {kind: who},
        "Action": [f"kms:{operation}" for operation in grant["Operations"]],
        "Resource": "*",
    }
    constraints = grant.get("Constraints") or {}
    wanted = constraints.get("EncryptionContextEquals") or constraints.get("EncryptionContextSubset") or {}
    if wanted:
        statement["Condition"] = {
            "StringEquals": {f"kms:EncryptionContext:{key}": value for key, value in wanted.items()}
        }
        if "EncryptionContextEquals" in constraints:
            statement["Condition"]["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": list(wanted)}
    return statement
