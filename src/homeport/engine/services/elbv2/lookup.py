"""Find what an ARN names, or raise AWS's error."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.elbv2.tables import LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS
from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_KINDS: dict[str, tuple[Table, str, str]] = {
    "loadbalancer": (LOAD_BALANCERS, "LoadBalancerNotFound", "Load balancer"),
    "targetgroup": (TARGET_GROUPS, "TargetGroupNotFound", "Target group"),
    "listener": (LISTENERS, "ListenerNotFound", "Listener"),
    "listener-rule": (RULES, "RuleNotFound", "Rule"),
}


def load_balancer(at: At, arn: str) -> Body:
    return _find(at, arn, "loadbalancer")


def target_group(at: At, arn: str) -> Body:
    return _find(at, arn, "targetgroup")


def listener(at: At, arn: str) -> Body:
    return _find(at, arn, "listener")


def rule(at: At, arn: str) -> Body:
    return _find(at, arn, "listener-rule")


def table(arn: str) -> Table:
    """The table of the resource that an ARN names."""
    return _KINDS[_kind(arn)][0]


def anything(at: At, arn: str) -> Body:
    return _find(at, arn, _kind(arn))


def _kind(arn: str) -> str:
    kind = arn.split(":", 5)[-1].split("/")[0]
    if kind not in _KINDS:
        raise AwsError("ValidationError", f"'{arn}' is not a valid resource ARN")
    return kind


def _find(at: At, arn: str, kind: str) -> Body:
    table, code, noun = _KINDS[kind]
    body = table.get(at, arn)
    if body is None:
        raise AwsError(code, f"{noun} '{arn}' not found")
    return body
