"""A service's load balancer entries, as CreateService and UpdateService take them for a strategy.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.deployments import listener_rules
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_REQUIRED = ("alternateTargetGroupArn", "productionListenerRule", "roleArn")


async def check(ctx: Context, balancers: list[Body], strategy: str) -> None:
    """Raise InvalidParameterException for entries that the strategy cannot work with."""
    groups = [balancer["targetGroupArn"] for balancer in balancers]
    advanced = [balancer["advancedConfiguration"] for balancer in balancers if _advanced(balancer)]
    groups += [each["alternateTargetGroupArn"] for each in advanced if each.get("alternateTargetGroupArn")]
    for arn in groups:
        if groups.count(arn) > 1 and advanced:
            raise _invalid(f"Duplicate targetGroupArn found: {arn}")
    if strategy != "ROLLING" and len(advanced) < len(balancers):
        raise _invalid(
            "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy"
        )
    if advanced and len(advanced) < len(balancers):
        raise _invalid(
            "Either all or none of the provided loadBalancers must have advancedConfiguration defined"
        )
    for balancer in balancers:
        if _advanced(balancer):
            await _check_advanced(ctx, balancer["targetGroupArn"], balancer["advancedConfiguration"])


async def _check_advanced(ctx: Context, group: str, advanced: Body) -> None:
    for member in _REQUIRED:
        if not advanced.get(member):
            raise _invalid(f"{member} is required in advancedConfiguration")
    production, test = advanced["productionListenerRule"], advanced.get("testListenerRule")
    for member, arn in (("productionListenerRule", production), ("testListenerRule", test)):
        if arn and ":listener-rule/" not in arn:
            raise _invalid(
                f"{member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: {arn}"
            )
    if production == test:
        raise _invalid(
            f"The following rules cannot be used as both production and test listener rules: {test}"
        )
    try:
        known = await listener_rules.associated(ctx, production)
        if test:
            await listener_rules.associated(ctx, test)
    except AwsError as error:
        raise _invalid(error.message) from error
    if not test and not {group, advanced["alternateTargetGroupArn"]} <= known:
        raise _invalid(
            "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not associated "
            "with both targetGroup and alternateTargetGroup"
        )


def _advanced(balancer: Body) -> Body | None:
    return balancer.get("advancedConfiguration") or None


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
