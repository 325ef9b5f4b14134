"""Shifting traffic: the weights of two target groups in the rules of a listener.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html#deployment-steps-what-happens"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.deploying import Deploying
from homeport.engine.services.codedeploy.failure import DeploymentFailed

Body = dict[str, Any]


async def target_groups(deploying: Deploying) -> list[Body]:
    """The two target groups of the deployment group, as ELB describes them."""
    pair = _pair(deploying)
    names = [each["name"] for each in pair["targetGroups"]]
    answer = await deploying.call("elbv2", "describe_target_groups", Names=names)
    groups: list[Body] = answer["TargetGroups"]
    return groups


def production(deploying: Deploying) -> str:
    """The listener of the users' traffic."""
    arn: str = _pair(deploying)["prodTrafficRoute"]["listenerArns"][0]
    return arn


def test(deploying: Deploying) -> str | None:
    """The listener of test traffic, if the group has one."""
    arns = (_pair(deploying).get("testTrafficRoute") or {}).get("listenerArns") or [None]
    arn: str | None = arns[0]
    return arn


def _pair(deploying: Deploying) -> Body:
    pair: Body = deploying.group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    return pair


async def check_behind(deploying: Deploying, listener: str, group: str) -> None:
    """Raise DeploymentFailed unless the listener forwards to the target group."""
    rules = await _rules(deploying, listener)
    if not any(group in _weights(rule) for rule in rules):
        raise DeploymentFailed(
            "ELASTIC_LOAD_BALANCING_INVALID",
            "The ELB could not be updated due to the following error: Primary taskset target group must be behind "
            f"listener {listener}",
        )


async def shift(deploying: Deploying, listener: str, blue: str, green: str, percent: int) -> None:
    """Let `percent` of what the listener forwards to the two target groups go to the green one."""
    wanted = {blue: 100 - percent, green: percent}
    for rule in await _rules(deploying, listener):
        weights = _weights(rule)
        shown = {group: weights.get(group) for group in wanted}
        if shown == wanted or not set(weights) & set(wanted):
            continue
        actions = [_forwarding(rule["Actions"][0], wanted)]
        if rule["IsDefault"]:
            await deploying.call("elbv2", "modify_listener", ListenerArn=listener, DefaultActions=actions)
        else:
            await deploying.call("elbv2", "modify_rule", RuleArn=rule["RuleArn"], Actions=actions)


async def _rules(deploying: Deploying, listener: str) -> list[Body]:
    answer = await deploying.call("elbv2", "describe_rules", ListenerArn=listener)
    rules: list[Body] = answer["Rules"]
    return rules


def _weights(rule: Body) -> dict[str, int]:
    config = rule["Actions"][0].get("ForwardConfig") or {}
    return {each["TargetGroupArn"]: each.get("Weight", 1) for each in config.get("TargetGroups", [])}


def _forwarding(action: Body, weights: dict[str, int]) -> Body:
    sticky = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig")
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    config = {"TargetGroups": groups, **({"TargetGroupStickinessConfig": sticky} if sticky else {})}
    return {"Type": "forward", "ForwardConfig": config}
