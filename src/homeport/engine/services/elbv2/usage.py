"""Which load balancers use a target group: those with a listener or rule that forwards to it."""

from __future__ import annotations

from homeport.engine.services.elbv2.tables import LISTENERS, RULES
from homeport.engine.store.database import At


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
