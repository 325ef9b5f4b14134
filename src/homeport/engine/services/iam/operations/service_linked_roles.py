"""Roles that belong to an AWS service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import managed, tables
from homeport.engine.services.iam.entities import ROLE, encoded
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_NAMES = {
    "autoscaling.amazonaws.com": "AutoScaling",
    "codestar-notifications.amazonaws.com": "CodeStarNotifications",
    "ecr.amazonaws.com": "ECRReplication",
    "ecs.amazonaws.com": "ECS",
    "ecs.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_ECSService",
    "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "rds.amazonaws.com": "RDS",
    "replication.ecr.amazonaws.com": "ECRReplication",
}

_POLICIES = {
    "ecs.amazonaws.com": "AmazonECSServiceRolePolicy",
    "ecs.application-autoscaling.amazonaws.com": "AWSApplicationAutoscalingECSServicePolicy",
    "elasticloadbalancing.amazonaws.com": "AWSElasticLoadBalancingServiceRolePolicy",
    "autoscaling.amazonaws.com": "AutoScalingServiceRolePolicy",
    "codestar-notifications.amazonaws.com": "AWSCodeStarNotificationsServiceRolePolicy",
    "replication.ecr.amazonaws.com": "ECRReplicationServiceRolePolicy",
    "rds.amazonaws.com": "AmazonRDSServiceRolePolicy",
}


@operation
async def create_service_linked_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    service = request["AWSServiceName"]
    name = f"AWSServiceRoleFor{_NAMES.get(service) or _title(service)}"
    if suffix := request.get("CustomSuffix"):
        name += f"_{suffix}"
    if tables.ROLES.get(at, name):
        raise AwsError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different suffix.",
        )
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}],
    }
    role = ROLE.create(
        at,
        name,
        f"/aws-service-role/{service}/",
        AssumeRolePolicyDocument=json.dumps(trust),
        Description=request.get("Description"),
        MaxSessionDuration=3600,
    )
    arn = f"{managed.PREFIX}aws-service-role/{_POLICIES.get(service, '')}"
    with at.store.transaction():
        tables.ROLES.put(at, role)
        if arn in managed.policies():
            tables.ATTACHMENTS.put(at, {"EntityType": "role", "EntityName": name, "PolicyArn": arn})
    return {"Role": encoded(role)}


@operation
async def delete_service_linked_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    role = ROLE.get(at, request["RoleName"])
    if not role["Path"].startswith("/aws-service-role/"):
        raise AwsError("InvalidInput", f"Role {role['RoleName']} is not a service-linked role.")
    with at.store.transaction():
        for attached in tables.ATTACHMENTS.list(at, "role", role["RoleName"]):
            tables.ATTACHMENTS.delete(at, "role", role["RoleName"], attached["PolicyArn"])
        tables.ROLES.delete(at, role["RoleName"])
    return {"DeletionTaskId": f"task{role['Path']}{role['RoleName']}/{role['RoleId']}"}


@operation
async def get_service_linked_role_deletion_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    parts = request["DeletionTaskId"].split("/")
    if len(parts) != 5 or parts[:2] != ["task", "aws-service-role"]:
        raise AwsError("NoSuchEntity", f"The deletion task {request['DeletionTaskId']} cannot be found.")
    known = tables.ROLES.get(tables.everywhere(ctx), parts[3])
    gone = known is None or known["RoleId"] != parts[4]
    return {"Status": "SUCCEEDED" if gone else "FAILED"}


def _title(service: str) -> str:
    words = service.removesuffix(".amazonaws.com").replace(".", "-").split("-")
    return "".join(word.capitalize() for word in words)
