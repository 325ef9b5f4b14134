"""Policy documents: parsed once, checked as IAM checks them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from homeport.engine.services.iam.conditions import (
    Condition,
    InvalidCondition,
    parse_conditions,
    parse_conditions_without_variables,
)
from homeport.engine.services.iam.patterns import Pattern, RequestContext, any_of, arn_pattern, text_pattern


class PolicyKind(Enum):
    """What a document is attached to; the grammar differs."""

    IDENTITY = "identity"
    TRUST = "trust"
    RESOURCE = "resource"


class MalformedPolicy(Exception):
    """A document that IAM does not take; the message is IAM's."""


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal or NotPrincipal element: the names under AWS, Service, Federated and CanonicalUser."""

    names: Mapping[str, tuple[str, ...]]

    @property
    def everyone(self) -> bool:
        return "*" in self.names.get("AWS", ())


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy."""

    sid: str
    index: int
    allows: bool
    actions: Pattern
    except_actions: bool
    resources: Pattern | None
    except_resources: bool
    principals: Principals | None
    except_principals: bool
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """What the statement is called where a decision is explained."""
        return self.sid or f"#{self.index + 1}"

    def covers(self, action: str, resource: str, context: RequestContext) -> bool:
        """Whether the statement is about this action (in lower case) on this resource in this context."""
        if self.actions.matches(action, context) is self.except_actions:
            return False
        resources = self.resources
        if resources is not None:
            if resources.matches(resource, context) is self.except_resources:
                return False
            if self.except_resources and not resources.resolves(context):
                return False
        return all(condition.holds(context) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Policy:
    """A document that has passed the checks."""

    statements: tuple[Statement, ...]
    condition_keys: frozenset[str]


@lru_cache(maxsize=8192)
def parse_policy(document: str, kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
    """The policy of a JSON document. Raises `MalformedPolicy`."""
    try:
        body = json.loads(document, object_pairs_hook=_without_duplicates)
    except ValueError:
        raise MalformedPolicy("This policy contains invalid Json") from None
    if not isinstance(body, dict) or not body.keys() <= _TOP_ELEMENTS:
        raise MalformedPolicy("Syntax errors in policy.")
    version = body.get("Version", "2008-10-17")
    if version not in ("2008-10-17", "2012-10-17"):
        raise MalformedPolicy("Syntax errors in policy.")
    if not isinstance(body.get("Id", ""), str):
        raise MalformedPolicy("Syntax errors in policy.")
    raw = body.get("Statement")
    raws = raw if isinstance(raw, list) else [raw]
    if not raws or not all(isinstance(one, dict) for one in raws):
        raise MalformedPolicy("Syntax errors in policy.")
    statements = tuple(
        _statement(index, one, kind, version == "2012-10-17") for index, one in enumerate(raws)
    )
    sids = [statement.sid for statement in statements if statement.sid]
    if len(sids) != len(set(sids)):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return Policy(statements, frozenset(condition_keys(body)))


def condition_keys(document: Any) -> Iterable[str]:
    """The context keys, in lower case, that a document (parsed JSON) asks for: conditions and variables."""
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        for keys in (statement.get("Condition") or {}).values():
            for key, values in keys.items():
                yield key.lower()
                yield from _variables(values)
        yield from _variables(statement.get("Resource"))
        yield from _variables(statement.get("NotResource"))


_TOP_ELEMENTS = {"Version", "Id", "Statement"}
_ELEMENTS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
}  # fmt: skip
_PARTITIONS = {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}
_IAM_PATHS = (
    "user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
    "policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/", "role-template/",
    "delegation-request/", "assumed-role/",
)  # fmt: skip
_PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'[^']*'\s*)?\}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedPolicy("Syntax errors in policy.")
    return found


def _variables(values: Any) -> Iterable[str]:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, str) and "${" in value:
            yield from (name.lower() for name in _VARIABLE.findall(value))


def _statement(index: int, raw: dict[str, Any], kind: PolicyKind, variables: bool) -> Statement:
    if not raw.keys() <= _ELEMENTS:
        raise MalformedPolicy("Syntax errors in policy.")
    for name in ("Action", "Resource", "Principal"):
        if name in raw and f"Not{name}" in raw:
            raise MalformedPolicy("Syntax errors in policy.")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy(
            "Missing required field Effect" if "Effect" not in raw else "Syntax errors in policy."
        )
    sid = raw.get("Sid", "")
    if not isinstance(sid, str):
        raise MalformedPolicy("Syntax errors in policy.")
    if kind is PolicyKind.IDENTITY and not re.fullmatch("[0-9A-Za-z]*", sid):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
            "expression [0-9A-Za-z]*"
        )
    actions = _strings(raw, "Action", "NotAction")
    if not actions:
        raise MalformedPolicy("Policy statement must contain actions.")
    for action in actions:
        _check_action(action)
    resources = _resources(raw, kind)
    principals = _principals(raw, kind)
    if kind is PolicyKind.TRUST:
        _check_trust(actions)
    parse = parse_conditions if variables else parse_conditions_without_variables
    try:
        conditions = parse(raw.get("Condition", {}))
    except InvalidCondition as complaint:
        raise MalformedPolicy(str(complaint)) from None
    return Statement(
        sid=sid,
        index=index,
        allows=raw["Effect"] == "Allow",
        actions=any_of(text_pattern(one.lower(), wildcards=True, variables=False) for one in actions),
        except_actions="NotAction" in raw,
        resources=any_of(arn_pattern(one, variables=variables) for one in resources) if resources else None,
        except_resources="NotResource" in raw,
        principals=principals,
        except_principals="NotPrincipal" in raw,
        conditions=conditions,
    )


def _strings(raw: dict[str, Any], *names: str) -> list[str]:
    for name in names:
        if name in raw:
            values = raw[name] if isinstance(raw[name], list) else [raw[name]]
            if not all(isinstance(value, str) for value in values):
                raise MalformedPolicy("Syntax errors in policy.")
            return values
    return []


def _check_action(action: str) -> None:
    if action == "*":
        return
    vendor, colon, rest = action.partition(":")
    if not colon:
        raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if ":" in rest:
        raise MalformedPolicy("Actions/Condition can contain only one colon.")
    if vendor != "*" and not re.fullmatch(r"[a-zA-Z0-9\-.]+", vendor):
        raise MalformedPolicy(f"Vendor {vendor} is not valid")
    if not rest:
        raise MalformedPolicy("The policy failed legacy parsing")


def _check_trust(actions: list[str]) -> None:
    for action in actions:
        if action != "*" and action.split(":")[0].lower() != "sts":
            raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")


def _resources(raw: dict[str, Any], kind: PolicyKind) -> list[str]:
    given = "Resource" in raw or "NotResource" in raw
    if kind is PolicyKind.TRUST:
        if given:
            raise MalformedPolicy("Has prohibited field Resource")
        return []
    resources = _strings(raw, "Resource", "NotResource")
    if kind is PolicyKind.RESOURCE:
        return resources
    if not resources:
        raise MalformedPolicy("Policy statement must contain resources.")
    for resource in resources:
        _check_resource(resource)
    return resources


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    parts = resource.split(":", 5)
    if len(parts) == 1 or parts[0] != "arn":
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')
    partition, vendor, region, account, path = (*parts[1:], "*", "*", "*", "*", "*")[:5]
    if partition != "*" and partition not in _PARTITIONS:
        raise MalformedPolicy(
            f'Partition "{partition}" is not valid for resource '
            f'"arn:{partition}:{vendor}:{region}:{account}:{path}".'
        )
    if len(parts) < 3 or not vendor:
        raise MalformedPolicy("Resource vendor must be fully qualified and cannot contain regexes.")
    if len(parts) < 6:
        return
    if vendor == "iam":
        if region not in ("", "*"):
            raise MalformedPolicy(f"IAM resource {resource} cannot contain region information.")
        if path not in ("*", "root") and not path.startswith(_IAM_PATHS) and "*" not in path.split("/")[0]:
            raise MalformedPolicy(
                f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.'
            )
    elif (
        vendor == "s3"
        and region not in ("", "*")
        and not path.startswith(("accesspoint/", "job/", "storage-lens", "access-grants", "async-request/"))
    ):
        raise MalformedPolicy(f"Resource {resource} can not contain region information.")


def _principals(raw: dict[str, Any], kind: PolicyKind) -> Principals | None:
    element = raw.get("Principal", raw.get("NotPrincipal"))
    if kind is PolicyKind.IDENTITY:
        if element is not None:
            raise MalformedPolicy("Policy document should not specify a principal.")
        return None
    if element is None:
        raise MalformedPolicy("Missing required field Principal")
    if element == "*":
        return Principals({"AWS": ("*",)})
    if not isinstance(element, dict) or not element:
        raise MalformedPolicy(f'Invalid principal in policy: "{element}"')
    names: dict[str, tuple[str, ...]] = {}
    for principal_kind, given in element.items():
        values = given if isinstance(given, list) else [given]
        if principal_kind not in _PRINCIPAL_KINDS or not all(isinstance(value, str) for value in values):
            raise MalformedPolicy(f'Invalid principal in policy: "{principal_kind}"')
        for value in values:
            _check_principal(principal_kind, value)
        names[principal_kind] = tuple(values)
    return Principals(names)


def _check_principal(kind: str, value: str) -> None:
    if kind != "AWS" or value == "*":
        return
    # Ids stand where a named user or role was deleted: AROA…, AIDA…
    if not re.fullmatch(r"\d{12}|arn:[\w-]+:(iam|sts)::\d{12}:\S+|A[A-Z0-9]{15,}", value):
        raise MalformedPolicy(f'Invalid principal in policy: "AWS":"{value}"')
