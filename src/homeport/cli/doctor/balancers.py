"""Why a load balancer does not do what is configured: it says so itself, in its state."""

from __future__ import annotations

from collections.abc import Iterator

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope


def check(scope: Scope) -> Iterator[Diagnosis]:
    """Look at every load balancer of the region, or of the stack."""
    for page in scope.client("elbv2").get_paginator("describe_load_balancers").paginate():
        for balancer in page["LoadBalancers"]:
            state = balancer["State"]
            ours = scope.holds("AWS::ElasticLoadBalancingV2::LoadBalancer", balancer["LoadBalancerArn"])
            if ours and state["Code"] in ("active_impaired", "failed"):
                yield Diagnosis(
                    balancer["LoadBalancerName"],
                    "it does not follow what is configured",
                    state.get("Reason") or state["Code"],
                    "Mend what the reason names; it is tried again by itself. Its log is `envoy.log` in the folder "
                    "`proxy` of the engine's data.",
                )
