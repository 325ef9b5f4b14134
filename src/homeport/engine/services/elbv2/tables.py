"""The rows of Elastic Load Balancing. Bodies have AWS's shape; what AWS shows elsewhere or not at all stands in
members in lower case: `attributes` (those that differ from the defaults), `tags`, and

    listeners   `certificates` (all, the default one first)
    rules       `order` (the priority as a number; the default rule's is above all others)
    targets     `state` registered | draining, `until` (when draining ends), `address` (what Envoy connects to)
    ports       `port` (what listeners were created with) → `bound` (what stands for it on this machine)

The default rule of a listener is a row like the others.
"""

from __future__ import annotations

from homeport.engine.store.table import Table

LOAD_BALANCERS = Table("elbv2_load_balancers", key=("LoadBalancerArn",), columns=("LoadBalancerName",))
LISTENERS = Table("elbv2_listeners", key=("ListenerArn",), columns=("LoadBalancerArn",))
RULES = Table("elbv2_rules", key=("RuleArn",), columns=("ListenerArn",))
TARGET_GROUPS = Table("elbv2_target_groups", key=("TargetGroupArn",), columns=("TargetGroupName",))
TARGETS = Table("elbv2_targets", key=("TargetGroupArn", "Id", "Port"), columns=("state",))
PORTS = Table("elbv2_ports", key=("port",))

DEFAULT_ORDER = 1_000_000
