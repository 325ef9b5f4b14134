"""Listener rules whose weights shift traffic between two target groups. ECS reads and changes them as the
infrastructure role that the service names.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html"""

from __future__ import annotations

from typing import Any, NamedTuple

from homeport.engine.services.context import Client, Context
from homeport.engine.services.ecs.deployments.failure import invalid_network
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


class Pair(NamedTuple):
    """The two target groups of a load balancer entry in one deployment: `blue` has the traffic before it."""

    blue: str
    green: str
    production: str
    test: str | None
    role: str


def weights(percent: float) -> tuple[int, int]:
    """Green's and blue's weight; a rule's weights are whole numbers up to 999, so tenths of a percent need a
    thousand parts."""
    tenths = round(percent * 10)
    return (tenths // 10, 100 - tenths // 10) if tenths % 10 == 0 else (tenths, 1000 - tenths)


async def pair(ctx: Context, balancer: Body, expected: str | None) -> Pair:
    """Who is blue and who is green behind a load balancer entry. `expected` is the group of the tasks that run.
    Raises DeploymentFailed when the production rule does not fit."""
    advanced = balancer["advancedConfiguration"]
    group, alternate = balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]
    rule = advanced["productionListenerRule"]
    client = ctx.client("elbv2", role=advanced["roleArn"])
    try:
        shares = _shares(await _rule(client, rule))
        tested = _shares(await _rule(client, advanced["testListenerRule"])) if _test(advanced) else {}
    except AwsError as error:
        raise invalid_network(_told(error, advanced["roleArn"])) from error
    serving = [arn for arn, weight in shares.items() if weight > 0]
    for arn in serving:
        if arn not in (group, alternate):
            raise invalid_network(
                f"Production listener rule is forwarding traffic to unexpected target group {arn}. Expected traffic to "
                f"be forwarded to either targetGroupArn: {group} or alternateTargetGroupArn: {alternate}"
            )
    if len(serving) != 1:
        raise invalid_network(
            f"productionListenerRule {rule} should have exactly one target group serving traffic but found "
            f"{len(serving)} target groups which are serving traffic"
        )
    blue = serving[0]
    green = alternate if blue == group else group
    if green not in {*shares, *tested}:
        raise invalid_network(
            f"Target group {green} is not associated with either productionListenerRule or testListenerRule."
        )
    if expected == green:
        raise invalid_network(
            f"productionListenerRule {rule} forwards to {blue}, but the running tasks are targets of {green}: let it "
            "forward to that one before the next deployment."
        )
    return Pair(blue, green, rule, _test(advanced), advanced["roleArn"])


async def forward(ctx: Context, rule: str, role: str, shares: dict[str, int]) -> None:
    """Have a rule forward to target groups by these weights; what else it does stays. Raises AwsError."""
    client = ctx.client("elbv2", role=role)
    found = await _rule(client, rule)
    action: Body = next((each for each in found["Actions"] if each["Type"] == "forward"), {})
    config = {
        **action.get("ForwardConfig", {}),
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares.items()],
    }
    kept = [each for each in found["Actions"] if each["Type"] not in ("forward", "fixed-response")]
    actions = [*kept, {"Type": "forward", "ForwardConfig": config}]
    if found["IsDefault"]:
        await client.modify_listener(ListenerArn=listener_of(rule), DefaultActions=actions)
    else:
        await client.modify_rule(RuleArn=rule, Actions=actions)


def listener_of(rule: str) -> str:
    """The ARN of the listener that a rule belongs to."""
    return rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]


async def associated(ctx: Context, rule: str) -> set[str]:
    """The target groups that a rule forwards to, with whatever weight. Raises AwsError."""
    return set(_shares(await _rule(ctx.client("elbv2", as_service=True), rule)))


def _test(advanced: Body) -> str | None:
    return advanced.get("testListenerRule") or None


async def _rule(client: Client, arn: str) -> Body:
    rule: Body = (await client.describe_rules(RuleArns=[arn]))["Rules"][0]
    return rule


def _shares(rule: Body) -> dict[str, int]:
    return {
        each["TargetGroupArn"]: each["Weight"]
        for action in rule["Actions"]
        for each in action.get("ForwardConfig", {}).get("TargetGroups", [])
    }


def _told(error: AwsError, role: str) -> str:
    if error.code in ("AccessDenied", "AccessDeniedException"):
        return (
            "ECS was unable to manage the ELB resources due to missing permissions on ECS Infrastructure Role "
            f"'{role}'. {error.message}"
        )
    return error.message
