"""The hook AWS::CodeDeploy::BlueGreen of a template's section Hooks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/blue-green-hook-syntax.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.template import Template
from homeport.engine.services.cloudformation.values import Environment, contains_unknown
from homeport.engine.wire.errors import AwsError

TRANSFORM = "AWS::CodeDeployBlueGreen"
TYPE = "AWS::CodeDeploy::BlueGreen"
FUNCTIONS = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
_LEAST_PERCENT, _MINUTES, _MOST_MINUTES = 14, 5, 2880
_DEFAULT = {"Type": "TimeBasedCanary", "TimeBasedCanary": {"StepPercentage": 15, "BakeTimeMins": 5}}
_BY_TIME = {"TimeBasedCanary": "canary", "TimeBasedLinear": "linear"}

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BlueGreenHook:
    """A hook with its defaults. Of each pair of logical ids the stack has one at a time, but of `groups` both.
    `routing` is CodeDeploy's TrafficRoutingConfig, `termination` are minutes."""

    id: str
    service: str
    definitions: Pair
    task_sets: Pair
    groups: Pair
    production: str
    test: str | None
    routing: dict[str, Any]
    termination: int
    functions: dict[str, str]
    role: str | None


def load_hook(body: dict[str, Any]) -> BlueGreenHook:
    """A hook from the form that rows keep it in."""
    pairs: dict[str, Any] = {name: tuple(body[name]) for name in ("definitions", "task_sets", "groups")}
    return BlueGreenHook(**{**body, **pairs})


def failed(id: str, message: str) -> str:
    """How a hook's failure is told."""
    return f"'{id}' of type {TYPE} failed with message: {message}"


def read_hook(template: Template, env: Environment) -> BlueGreenHook | None:
    """The template's hook, if it has one. Raises ValidationError."""
    section = template.section("Hooks")
    if not section:
        return None
    (id, *others) = section
    if others:
        raise _misshapen(f"It has the hooks {', '.join(section)}: one service of one stack can be deployed.")
    if not id.isalnum():
        raise _misshapen(f"The logical ID {id} is not alphanumeric.")
    hook = evaluate(section[id], env)
    if contains_unknown(hook):
        raise _misshapen("It must name resources by their logical IDs, and refer to none.")
    _only(hook, id, "Type", "Properties")
    properties = _object(hook, "Properties", id)
    _only(
        properties,
        id,
        *("TrafficRoutingConfig", "AdditionalOptions", "LifecycleEventHooks", "ServiceRole", "Applications"),
    )
    applications = properties.get("Applications")
    if not isinstance(applications, list) or len(applications) != 1:
        raise _misshapen(
            "Applications must hold exactly one: a single ECS service is the target of a deployment."
        )
    application = applications[0]
    _only(application, "Applications", "Target", "ECSAttributes")
    attributes = _object(application, "ECSAttributes", "Applications")
    _only(attributes, "ECSAttributes", "TaskDefinitions", "TaskSets", "TrafficRouting")
    routes = _object(attributes, "TrafficRouting", "ECSAttributes")
    _only(routes, "TrafficRouting", "ProdTrafficRoute", "TestTrafficRoute", "TargetGroups")
    production = _logical_id(routes, "ProdTrafficRoute", "AWS::ElasticLoadBalancingV2::Listener")
    test = None
    if "TestTrafficRoute" in routes:
        test = _logical_id(routes, "TestTrafficRoute", "AWS::ElasticLoadBalancingV2::Listener")
    functions = _functions(properties.get("LifecycleEventHooks") or {})
    role = properties.get("ServiceRole")
    if functions and not role:
        raise _misshapen("LifecycleEventHooks need a ServiceRole, as which CodeDeploy invokes the functions.")
    return BlueGreenHook(
        id=id,
        service=_logical_id(application, "Target", "AWS::ECS::Service"),
        definitions=_pair(attributes, "TaskDefinitions"),
        task_sets=_pair(attributes, "TaskSets"),
        groups=_pair(routes, "TargetGroups"),
        production=production,
        test=test,
        routing=_routing(properties.get("TrafficRoutingConfig", _DEFAULT)),
        termination=_termination(properties.get("AdditionalOptions") or {}),
        functions=functions,
        role=role,
    )


def _routing(config: Any) -> dict[str, Any]:
    """CodeDeploy's traffic routing of the hook's."""
    _only(config, "TrafficRoutingConfig", "Type", *_BY_TIME)
    type = config.get("Type")
    if type != "AllAtOnce" and type not in _BY_TIME:
        raise _misshapen("TrafficRoutingConfig.Type must be AllAtOnce, TimeBasedCanary or TimeBasedLinear.")
    given = [name for name in _BY_TIME if name in config]
    if given != ([type] if type in _BY_TIME else []):
        raise _misshapen(
            f"A TrafficRoutingConfig of the Type {type} cannot have {', '.join(given) or 'no ' + type}."
        )
    if type == "AllAtOnce":
        return {"type": type}
    settings = config[type]
    _only(settings, type, "StepPercentage", "BakeTimeMins")
    percent = _number(settings, "StepPercentage", 15, _LEAST_PERCENT, 99)
    minutes = _number(settings, "BakeTimeMins", _MINUTES, 1, _MOST_MINUTES)
    word = _BY_TIME[type]
    return {"type": type, f"timeBased{type[9:]}": {f"{word}Percentage": percent, f"{word}Interval": minutes}}


def _termination(options: Any) -> int:
    _only(options, "AdditionalOptions", "TerminationWaitTimeInMinutes")
    return _number(options, "TerminationWaitTimeInMinutes", _MINUTES, 0, _MOST_MINUTES)


def _functions(hooks: Any) -> dict[str, str]:
    _only(hooks, "LifecycleEventHooks", *FUNCTIONS)
    return {event: str(function) for event, function in hooks.items()}


def _number(settings: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    given = settings.get(name, default)
    try:
        number = int(given)
    except (TypeError, ValueError):
        raise _misshapen(f"{name} must be an integer, not {given}.") from None
    if not least <= number <= most:
        raise _misshapen(f"{name} must be between {least} and {most}, not {number}.")
    return number


def _logical_id(settings: Mapping[str, Any], name: str, type: str) -> str:
    named = _object(settings, name, "Hooks")
    _only(named, name, "Type", "LogicalID")
    if named.get("Type") != type or not isinstance(named.get("LogicalID"), str):
        raise _misshapen(f"{name} must have the Type {type} and a LogicalID.")
    return str(named["LogicalID"])


def _pair(settings: Mapping[str, Any], name: str) -> Pair:
    ids = settings.get(name)
    if not isinstance(ids, list) or len(set(map(str, ids))) != 2 or len(ids) != 2:
        raise _misshapen(f"{name} must be two logical IDs: the blue one and the green one.")
    return str(ids[0]), str(ids[1])


def _object(settings: Any, name: str, where: str) -> dict[str, Any]:
    value = settings.get(name) if isinstance(settings, dict) else None
    if not isinstance(value, dict):
        raise _misshapen(f"{where} must have {name}.")
    return value


def _only(value: Any, where: str, *members: str) -> None:
    if not isinstance(value, dict):
        raise _misshapen(f"{where} must be an object.")
    if unknown := [name for name in value if name not in members]:
        raise _misshapen(f"{where} cannot have {', '.join(unknown)}.")


def not_transformed(message: str) -> AwsError:
    """The error of a template that the transform does not take."""
    return invalid(f"Transform {TRANSFORM} failed with: Failed to transform template. {message}")


def _misshapen(why: str) -> AwsError:
    return not_transformed(
        f'Failed to parse the "Hooks" section for the provided template. Please ensure the {TYPE} Hook matches the '
        f"expected schema. {why}"
    )
