"""The few shapes that every part of the template is made of."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]
Resources = dict[str, Resource]
Value = Any
"""A literal or an intrinsic function."""


def ref(name: str) -> Value:
    """What `!Ref` gives for a resource or parameter."""
    return {"Ref": name}


def attribute(name: str, of: str) -> Value:
    """An attribute of a resource: `attribute("Repository", "Arn")`."""
    return {"Fn::GetAtt": [name, of]}


def sub(text: str) -> Value:
    """A text with `${…}`."""
    return {"Fn::Sub": text}


def arn(service: str, resource: str) -> Value:
    """An ARN in this stack's partition, region and account; `resource` may hold `${…}`."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def resource(kind: str, properties: dict[str, Any], **attributes: Any) -> Resource:
    """A resource; properties that are None are left out, `attributes` are `DependsOn`, `DeletionPolicy` and the
    like."""
    body: Resource = {"Type": kind, **attributes}
    given = {name: value for name, value in properties.items() if value is not None}
    return {**body, "Properties": given} if given else body


def allow(actions: list[str], on: Value, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    """A statement that allows."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": on}
    return {**statement, "Condition": condition} if condition else statement


_NAMES_NO_ACCOUNT = ("ecs",)
"""Services that may not say for which account they assume a role: the trust policies that AWS gives for them have no
condition. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html"""


def role(
    service: str, statements: dict[str, list[dict[str, Any]]], why: str, managed: list[Value] | None = None
) -> Resource:
    """A role that one AWS service assumes for resources of this account alone, with inline policies by name."""
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if service not in _NAMES_NO_ACCOUNT:
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    policies = [
        {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": each}}
        for name, each in statements.items()
        if each
    ]
    return resource(
        "AWS::IAM::Role",
        {
            "Description": why,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "ManagedPolicyArns": managed,
            "Policies": policies or None,
        },
    )


def pascal(name: str) -> str:
    """A logical id from a name: `blue-green` → `BlueGreen`."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("_", "-").split("-"))
