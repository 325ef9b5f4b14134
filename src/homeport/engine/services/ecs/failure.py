"""Why a task could not start, in AWS's words.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"""

from __future__ import annotations

from homeport.engine.wire.errors import AwsError


class CannotStart(Exception):
    """The task cannot start. `name` is AWS's error name (`CannotPullContainerError`, …); `container` is the one
    that it is about, if it is about one."""

    def __init__(self, name: str, message: str, container: str | None = None) -> None:
        super().__init__(f"{name}: {message}")
        self.container = container


def told(error: AwsError) -> str:
    """An AWS error as ECS quotes it: `AccessDeniedException: User: … is not authorized …`."""
    return f"{error.code}: {error.message}"
