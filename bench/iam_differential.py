"""A second opinion on IAM's evaluation: random policies and requests, decided by homeport and by iam-simulate.

iam-simulate is an npm package that is fetched into a temporary folder for the comparison and not part of homeport.
Left out is where it departs from AWS's documentation: resource-based policies that name a session whose session policy
is narrower, IfExists with ForAnyValue, IPv6 addresses against IPv4 networks.
`python bench/iam_differential.py [cases] [seed]` prints every case on which they differ, and fails if there is one.
"""

# ruff: noqa: E501

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from homeport.engine.services.iam.evaluation import Attached, Policies, Question, evaluate
from homeport.engine.services.iam.policies import PolicyKind, parse_policy
from homeport.engine.wire.principal import Principal

ACCOUNT = "123456789012"
USER = Principal("User", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ann", "AIDAANN")
SESSION = Principal(
    "AssumedRole",
    ACCOUNT,
    f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one",
    "AROAAPP:one",
    issuer=f"arn:aws:iam::{ACCOUNT}:role/app",
)

SIMULATE = """
import { readFileSync } from 'fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'
const decided = []
for (const one of JSON.parse(readFileSync(process.argv[2]))) {
  const result = await runSimulation(one, {})
  decided.push(result.overallResult ?? 'error: ' + JSON.stringify(result))
}
console.log(JSON.stringify(decided))
"""

ACTIONS = ["s3:GetObject", "s3:PutObject"]
PATTERNS = ["*", "s3:*", "s3:Get*", "S3:putobject", "s3:?etObject", "iam:*"]
RESOURCES = ["arn:aws:s3:::b/k", "arn:aws:s3:::b/ann/x", "arn:aws:s3:::c"]
RESOURCE_PATTERNS = [
    "*", "arn:aws:s3:::*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c", "arn:aws:s3:::?",
    "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'ann'}/*",
]  # fmt: skip
VALUES = {
    "String": ["a", "b", "A", "a*", "${aws:username}", "ann"],
    "Numeric": ["1", "2", "2.0", "10"],
    "Date": ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z"],
    "Bool": ["true", "false"],
    "Ip": ["10.0.0.0/8", "10.1.2.3", "192.168.0.0/16"],
    "Arn": ["arn:aws:s3:::b", "arn:aws:s3:::*", "arn:aws:sns:*:123456789012:t", "arn:aws:sns:us-east-1:*:*"],
}
ACTUAL = {
    "String": ["a", "b", "ann", "ab"],
    "Numeric": ["1", "2", "3"],
    "Date": ["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"],
    "Bool": ["true", "false"],
    "Ip": ["10.1.2.3", "192.168.1.1", "172.16.0.1"],
    "Arn": ["arn:aws:s3:::b", "arn:aws:sns:us-east-1:123456789012:t"],
}
OPERATORS = {
    "String": ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"],
    "Numeric": ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"],
    "Date": ["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"],
    "Bool": ["Bool"],
    "Ip": ["IpAddress", "NotIpAddress"],
    "Arn": ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
}  # fmt: skip
KEYS = {
    "String": "aws:PrincipalTag/word", "Numeric": "aws:MultiFactorAuthAge", "Date": "aws:CurrentTime", "Bool": "aws:SecureTransport",
    "Ip": "aws:SourceIp", "Arn": "aws:SourceArn",
}  # fmt: skip


def main(cases: int, seed: int) -> int:
    chance = random.Random(seed)
    made = [_case(chance) for _ in range(cases)]
    theirs = _simulated(made)
    wrong = 0
    for case, their in zip(made, theirs, strict=True):
        ours = _ours(case)
        if ours != their:
            wrong += 1
            print(f"homeport: {ours}, iam-simulate: {their}\n{json.dumps(case, indent=1)}")
    print(
        f"{cases} cases, seed {seed}: {wrong} differ; "
        + str({word: theirs.count(word) for word in set(theirs)})
    )
    return 1 if wrong else 0


def _case(chance: random.Random) -> dict[str, Any]:
    context: dict[str, Any] = {"aws:username": "ann"} if chance.random() < 0.8 else {}
    for kind, key in KEYS.items():
        if chance.random() < 0.6:
            context[key] = chance.choice(ACTUAL[kind])
    if chance.random() < 0.6:
        context["aws:TagKeys"] = chance.sample(ACTUAL["String"], chance.randint(1, 3))
    principal = chance.choice([USER, SESSION])
    resource = chance.choice(RESOURCES)
    case: dict[str, Any] = {
        "request": {
            "principal": principal.arn,
            "action": chance.choice(ACTIONS) if "/" in resource else "s3:ListBucket",
            "resource": {
                "resource": resource,
                "accountId": chance.choice([ACCOUNT, ACCOUNT, "210987654321"]),
            },
            "contextVariables": context,
        },
        "identityPolicies": [
            {"name": f"p{at}", "policy": _policy(chance)} for at in range(chance.randint(0, 2))
        ],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if chance.random() < 0.4:
        case["resourcePolicy"] = _policy(chance, principals=True)
    if chance.random() < 0.2:
        case["permissionBoundaryPolicies"] = [{"name": "b", "policy": _policy(chance)}]
    if principal is SESSION and "resourcePolicy" not in case and chance.random() < 0.2:
        case["sessionPolicy"] = _policy(chance)
    return case


def _policy(chance: random.Random, *, principals: bool = False) -> dict[str, Any]:
    statements = [_statement(chance, principals) for _ in range(chance.randint(1, 3))]
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(chance: random.Random, principals: bool) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": chance.choice(["Allow", "Allow", "Allow", "Deny"])}
    statement["NotAction" if chance.random() < 0.15 else "Action"] = chance.sample(
        PATTERNS, chance.randint(1, 2)
    )
    negated = chance.random() < 0.15
    statement["NotResource" if negated else "Resource"] = chance.sample(
        RESOURCE_PATTERNS, chance.randint(1, 2)
    )
    if principals:
        names = ["*", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", USER.arn, SESSION.arn, SESSION.issuer]
        names.append(f"arn:aws:iam::{ACCOUNT}:user/bob")
        statement["Principal"] = {"AWS": chance.choice(names)}
    conditions: dict[str, Any] = {}
    for _ in range(chance.choice([0, 0, 1, 2])):
        conditions.setdefault(*_condition(chance))
    if conditions:
        statement["Condition"] = conditions
    return statement


def _condition(chance: random.Random) -> tuple[str, dict[str, Any]]:
    if chance.random() < 0.1:
        return "Null", {chance.choice([*KEYS.values(), "aws:TagKeys"]): chance.choice(["true", "false"])}
    kind = chance.choice(list(OPERATORS))
    operator = chance.choice(OPERATORS[kind])
    if chance.random() < 0.2:
        operator += "IfExists"
    values = chance.sample(VALUES[kind], chance.randint(1, 2))
    if kind == "String" and chance.random() < 0.5:
        qualifiers = ["ForAllValues"] if operator.endswith("IfExists") else ["ForAllValues", "ForAnyValue"]
        return f"{chance.choice(qualifiers)}:{operator}", {"aws:TagKeys": values}
    return operator, {KEYS[kind]: values}


def _ours(case: dict[str, Any]) -> str:
    request = case["request"]
    principal = USER if request["principal"] == USER.arn else SESSION
    context = {
        key.lower(): tuple(value) if isinstance(value, list) else (value,)
        for key, value in request["contextVariables"].items()
    }
    resource = request["resource"]
    question = Question(principal, request["action"], resource["resource"], context, resource["accountId"])
    resource_policy = case.get("resourcePolicy")
    boundary = case.get("permissionBoundaryPolicies")
    session = case.get("sessionPolicy")
    policies = Policies(
        identity=tuple(_attached(one["policy"]) for one in case["identityPolicies"]),
        boundary=tuple(_attached(one["policy"]) for one in boundary) if boundary else None,
        session=(_attached(session),) if session else None,
        resource=_attached(resource_policy, PolicyKind.RESOURCE) if resource_policy else None,
    )
    decision = evaluate(question, policies)
    return "Allowed" if decision.allowed else "ExplicitlyDenied" if decision.explicit else "ImplicitlyDenied"


def _attached(policy: dict[str, Any], kind: PolicyKind = PolicyKind.IDENTITY) -> Attached:
    return Attached("policy", parse_policy(json.dumps(policy), kind))


def _simulated(cases: list[dict[str, Any]]) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text('{"type": "module"}')
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@cloud-copilot/iam-simulate"]
        subprocess.run(install, cwd=folder, check=True)
        (folder / "simulate.js").write_text(SIMULATE)
        (folder / "cases.json").write_text(json.dumps(cases))
        done = subprocess.run(
            ["node", "simulate.js", "cases.json"], cwd=folder, check=True, capture_output=True, text=True
        )
        return json.loads(done.stdout)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(numbers + [5000, 1][len(numbers) :])))
