"""Handing roles to tasks. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/codedeploy_IAM_role.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context

TASKS = "ecs-tasks.amazonaws.com"


async def check_roles(ctx: Context, definition: dict[str, Any]) -> None:
    """Who lets tasks of a definition run hands them its roles. Raises AccessDeniedException unless the caller may
    (`iam:PassRole`)."""
    found = [definition.get(member) for member in ("taskRoleArn", "executionRoleArn")]
    roles = list(dict.fromkeys(role for role in found if role))
    if roles and ctx.call:
        await ctx.engine.identity.check_passing(ctx.call, roles, TASKS)
