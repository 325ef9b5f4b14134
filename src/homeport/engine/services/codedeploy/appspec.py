"""The AppSpec file of an ECS deployment, version 0.0, in YAML or JSON.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure.html"""

from __future__ import annotations

import contextlib
import json
from typing import Any, NoReturn

import yaml

from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

HOOKS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
"""The lifecycle events that may have a Lambda function, in their order."""
_PROPERTIES = (
    "TaskDefinition",
    "LoadBalancerInfo",
    "PlatformVersion",
    "NetworkConfiguration",
    "CapacityProviderStrategy",
)


def parse(content: str) -> Body:
    """What the file asks for: `taskDefinition`, `containerName`, `containerPort`, `hooks` (event to function), and
    where given `platformVersion`, `networkConfiguration`, `capacityProviderStrategy` in the shapes of CreateTaskSet.
    Raises InvalidRevisionException."""
    file = _read(content)
    if not isinstance(file, dict):
        _refuse("The AppSpec file must be valid JSON or YAML.")
    members = _lowered(file)
    if unknown := sorted(set(members) - {"version", "resources", "hooks"}):
        _refuse(f"The AppSpec file has unknown sections: {', '.join(unknown)}.")
    if str(members.get("version")) not in ("0.0", "0"):
        version = members.get("version", "")
        _refuse(f"The AppSpec file has an invalid version value ({version}): it must be 0.0.")
    properties = _properties(members.get("resources"))
    return {**_settings(properties), "hooks": _hooks(members.get("hooks") or [])}


def _read(content: str) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(content)  # may be indented with tabs, which YAML does not know
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError:
        _refuse("The input AppSpec file is a not well-formed yaml. The template cannot be parsed.")


def _properties(resources: Any) -> Body:
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], dict):
        _refuse("The AppSpec file must have a Resources section with exactly one resource, a TargetService.")
    if len(resources[0]) != 1:
        _refuse("The AppSpec file must name exactly one resource.")
    name, resource = next(iter(resources[0].items()))
    if not isinstance(resource, dict):
        _refuse(f"The resource {name} of the AppSpec file must have a Type and Properties.")
    members = _lowered(resource)
    if members.get("type") != "AWS::ECS::Service":
        _refuse(f"The Type of the resource {name} in the AppSpec file must be AWS::ECS::Service.")
    properties = members.get("properties")
    if not isinstance(properties, dict):
        _refuse(f"The resource {name} of the AppSpec file has no Properties.")
    found = _lowered(properties)
    if unknown := sorted(set(found) - {each.lower() for each in _PROPERTIES}):
        _refuse(f"The resource {name} of the AppSpec file has unknown properties: {', '.join(unknown)}.")
    return found


def _settings(properties: Body) -> Body:
    if not isinstance(properties.get("taskdefinition"), str):
        _refuse("The AppSpec file must name a TaskDefinition.")
    balancer = properties.get("loadbalancerinfo")
    if not isinstance(balancer, dict):
        _refuse("The AppSpec file must have a LoadBalancerInfo with ContainerName and ContainerPort.")
    balancer = _lowered(balancer)
    name, port = balancer.get("containername"), balancer.get("containerport")
    if not isinstance(name, str) or not str(port).isdigit():
        _refuse("The LoadBalancerInfo of the AppSpec file must have a ContainerName and a ContainerPort.")
    settings: Body = {
        "taskDefinition": properties["taskdefinition"],
        "containerName": name,
        "containerPort": int(str(port)),
    }
    if properties.get("platformversion"):
        settings["platformVersion"] = str(properties["platformversion"])
    if properties.get("networkconfiguration"):
        settings["networkConfiguration"] = _network(properties["networkconfiguration"])
    if properties.get("capacityproviderstrategy"):
        settings["capacityProviderStrategy"] = _strategy(properties["capacityproviderstrategy"])
    return settings


def _network(given: Any) -> Body:
    inner = _lowered(given).get("awsvpcconfiguration") if isinstance(given, dict) else None
    if not isinstance(inner, dict):
        _refuse("The NetworkConfiguration of the AppSpec file must have an AwsvpcConfiguration.")
    members = _lowered(inner)
    names = {"subnets": "subnets", "securitygroups": "securityGroups", "assignpublicip": "assignPublicIp"}
    found = {name: members[key] for key, name in names.items() if members.get(key)}
    if not isinstance(found.get("subnets"), list):
        _refuse("The AwsvpcConfiguration of the AppSpec file must have Subnets.")
    return {"awsvpcConfiguration": found}


def _strategy(given: Any) -> list[Body]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        _refuse("The CapacityProviderStrategy of the AppSpec file must be a list.")
    items = [_lowered(item) for item in given]
    if not all(isinstance(item.get("capacityprovider"), str) for item in items):
        _refuse("Each item of the CapacityProviderStrategy of the AppSpec file must have a CapacityProvider.")
    return [
        {
            "capacityProvider": item["capacityprovider"],
            "base": int(item.get("base") or 0),
            "weight": int(item.get("weight") or 0),
        }
        for item in items
    ]


def _hooks(given: Any) -> dict[str, str]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        _refuse(
            "The Hooks section of the AppSpec file must be a list of lifecycle events and Lambda functions."
        )
    found: dict[str, str] = {}
    for event, function in (pair for item in given for pair in item.items()):
        if event not in HOOKS:
            _refuse(
                f"The AppSpec file has a hook for {event}: hooks of an ECS deployment are {', '.join(HOOKS)}."
            )
        if event in found:
            _refuse(f"The AppSpec file has more than one hook for {event}.")
        if function:
            found[event] = str(function)
    return found


def _lowered(members: Body) -> Body:
    return {str(key).lower(): value for key, value in members.items()}


def _refuse(message: str) -> NoReturn:
    raise AwsError("InvalidRevisionException", message)
