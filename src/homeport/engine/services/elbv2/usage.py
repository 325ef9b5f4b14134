"""Which load balancers use a target group: those with a listener or rule that forwards to it."""

from __future__ import annotations

from homeport.engine.services.elbv2 import lookup
from homeport.engine.services.elbv2.tables import LISTENERS, RULES
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError


def users(at: At, target_group: str) -> set[str]:
    """The ARNs of the load balancers that forward to a target group, whatever its weight."""
    found = set()
    for rule in RULES.list(at):
        for action in rule["Actions"]:
            groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
            if any(each["TargetGroupArn"] == target_group for each in groups):
                found.add(rule["ListenerArn"])
    bodies = (LISTENERS.get(at, listener) for listener in found)
    return {body["LoadBalancerArn"] for body in bodies if body}


def check_association(at: At, arn: str, load_balancer: str) -> None:
    """Raise unless the target group exists and may be used by this load balancer."""
    lookup.target_group(at, arn)
    others = users(at, arn) - {load_balancer}
    if others:
        raise AwsError(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {arn}",
        )
