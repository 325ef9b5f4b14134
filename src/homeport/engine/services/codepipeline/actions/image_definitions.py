"""`imagedefinitions.json`: which image each container of the new task definition revision gets.

https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#pipelines-create-image-definitions
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from homeport.engine.services.codepipeline.actions.contract import ActionFailed

MAXIMUM_SIZE = 100 * 1024

ANSWERED_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "deregisteredAt",
    "registeredBy",
    "deleteRequestedAt",
)
"""What DescribeTaskDefinition answers and RegisterTaskDefinition does not take."""


def parse(content: bytes, file_name: str) -> dict[str, str]:
    """Container name to image. Raises ActionFailed with what is wrong with the file."""
    if len(content) > MAXIMUM_SIZE:
        raise _invalid(f"The image definition file {file_name} is larger than 100 KB")
    try:
        entries = json.loads(content.decode())
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise _invalid(f"The image definition file {file_name} contains invalid JSON format") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _invalid(
            f"The image definition file {file_name} must be a list of objects with 'name' and 'imageUri'"
        )
    images: dict[str, str] = {}
    for entry in entries:
        name, image = entry.get("name"), entry.get("imageUri")
        if not (isinstance(name, str) and name and isinstance(image, str) and image):
            raise _invalid(
                f"Every entry of the image definition file {file_name} must have a 'name' and an 'imageUri'"
            )
        images[name] = image
    if not images:
        raise _invalid(f"The image definition file {file_name} names no container")
    return images


def new_revision(task_definition: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    """The RegisterTaskDefinition request that changes only the images. Raises ActionFailed for a container
    that the task definition does not have."""
    request = {key: value for key, value in task_definition.items() if key not in ANSWERED_ONLY}
    known = [container["name"] for container in task_definition["containerDefinitions"]]
    for name in images:
        if name not in known:
            raise _invalid(
                f"The task definition {task_definition['family']} has no container named '{name}'"
                f" (it has: {', '.join(known)})"
            )
    request["containerDefinitions"] = [
        {**container, "image": images.get(container["name"], container["image"])}
        for container in task_definition["containerDefinitions"]
    ]
    return request


def _invalid(message: str) -> ActionFailed:
    return ActionFailed(f"Invalid action configuration: {message}", code="ConfigurationError")
