"""Stack policies and termination protection."""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudformation.policies import read_policy
from homeport.engine.services.cloudformation.tables import STACKS, get_stack
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation


@operation
async def get_stack_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetStackPolicy.html"""
    policy = get_stack(ctx, request["StackName"]).get("policy")
    return {"StackPolicyBody": json.dumps(policy)} if policy else {}


@operation
async def set_stack_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_SetStackPolicy.html"""
    stack = get_stack(ctx, request["StackName"])
    if policy := read_policy(request, "StackPolicy"):
        stack["policy"] = policy
        STACKS.put(ctx, stack)
    return {}


@operation
async def update_termination_protection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateTerminationProtection.html"""
    stack = get_stack(ctx, request["StackName"])
    stack["EnableTerminationProtection"] = request["EnableTerminationProtection"]
    STACKS.put(ctx, stack)
    return {"StackId": stack["StackId"]}
