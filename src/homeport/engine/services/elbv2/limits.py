"""Quotas and TLS policies: what clients ask before they act.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_LIMITS = {
    "application-load-balancers": "50",
    "target-groups": "3000",
    "targets-per-application-load-balancer": "1000",
    "listeners-per-application-load-balancer": "50",
    "rules-per-application-load-balancer": "100",
    "target-groups-per-action-on-application-load-balancer": "5",
    "target-groups-per-application-load-balancer": "100",
    "certificates-per-application-load-balancer": "25",
    "condition-values-per-alb-rule": "5",
    "condition-wildcards-per-alb-rule": "5",
}
_POLICIES = {
    "ELBSecurityPolicy-2016-08": ["TLSv1", "TLSv1.1", "TLSv1.2"],
    "ELBSecurityPolicy-TLS-1-2-2017-01": ["TLSv1.2"],
    "ELBSecurityPolicy-TLS13-1-2-2021-06": ["TLSv1.2", "TLSv1.3"],
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06": ["TLSv1.2", "TLSv1.3"],
    "ELBSecurityPolicy-TLS13-1-3-2021-06": ["TLSv1.3"],
}


@operation
async def describe_account_limits(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeAccountLimits.html"""
    return {"Limits": [{"Name": name, "Max": most} for name, most in _LIMITS.items()]}


@operation
async def describe_ssl_policies(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html"""
    wanted = request.get("Names") or list(_POLICIES)
    unknown = [name for name in wanted if name not in _POLICIES]
    if unknown:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{unknown[0]}' not found")
    return {
        "SslPolicies": [
            {
                "Name": name,
                "SslProtocols": _POLICIES[name],
                "SupportedLoadBalancerTypes": ["application", "network"],
            }
            for name in wanted
        ]
    }
