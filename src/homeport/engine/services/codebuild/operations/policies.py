"""Resource policies of projects and report groups, and what else there is to list.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_PutResourcePolicy.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.operations.report_groups import report_group
from homeport.engine.services.codebuild.tables import POLICIES
from homeport.engine.services.codebuild.validation import refuse_fleets
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Share a project or a report group."""
    arn = request["resourceArn"]
    if ":report-group/" in arn:
        report_group(ctx, arn)
    else:
        tables.project(ctx, arn)
    try:
        json.loads(request["policy"])
    except ValueError:
        raise AwsError("InvalidInputException", "The policy is not valid JSON") from None
    POLICIES.put(ctx, {"arn": arn, "policy": request["policy"]})
    return {"resourceArn": arn}


@operation
async def get_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The policy of a project or a report group."""
    row = POLICIES.get(ctx, request["resourceArn"])
    if row is None:
        raise AwsError("ResourceNotFoundException", f"No resource policy found for {request['resourceArn']}")
    return {"policy": row["policy"]}


@operation
async def delete_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Share it no more."""
    POLICIES.delete(ctx, request["resourceArn"])
    return {}


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of a resource, for IAM."""
    row = POLICIES.get(ctx, arn)
    return json.loads(row["policy"]) if row else None


@operation
async def list_shared_projects(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What other accounts share; an engine has none."""
    return {"projects": []}


@operation
async def list_shared_report_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What other accounts share; an engine has none."""
    return {"reportGroups": []}


@operation
async def create_fleet(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Refused: there is nothing here to reserve."""
    refuse_fleets()
    return {}


@operation
async def update_fleet(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Refused: there are no fleets."""
    refuse_fleets()
    return {}


@operation
async def delete_fleet(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Deleting what is not there succeeds, as on AWS."""
    return {}


@operation
async def list_fleets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """There are no fleets."""
    return {"fleets": []}


@operation
async def batch_get_fleets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """There are no fleets."""
    return {"fleets": [], "fleetsNotFound": request["names"]}


_CURATED = (
    ("UBUNTU", "STANDARD", "aws/codebuild/standard:7.0", "Ubuntu 22.04 with the usual languages and tools"),
    ("AMAZON_LINUX_2", "STANDARD", "aws/codebuild/amazonlinux-x86_64-standard:5.0", "Amazon Linux 2023"),
)


@operation
async def list_curated_environment_images(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """AWS's own images. Where they cannot be had, builds run in homeport's build image, and their logs say so."""
    return {
        "platforms": [
            {
                "platform": platform,
                "languages": [
                    {
                        "language": language,
                        "images": [{"name": name, "description": text, "versions": [name]}],
                    }
                ],
            }
            for platform, language, name, text in _CURATED
        ]
    }
