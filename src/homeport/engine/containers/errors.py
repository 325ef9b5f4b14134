"""What can go wrong between homeport and Docker, in words for the user."""

from __future__ import annotations

from typing import Literal

PullReason = Literal["not found", "denied", "unreachable", "other"]


class DockerUnavailable(Exception):
    """No Docker Engine answers. The text says what is missing, why, and how to mend it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Docker does not answer ({why}), and without it no container can run. "
            "Install and start the Docker Engine (https://docs.docker.com/engine/install/), or set DOCKER_HOST "
            "to one that runs; `docker version` must list a server."
        )


class DockerRefused(Exception):
    """Docker answered with an error: its HTTP status and its sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class NoSuchContainer(DockerRefused):
    """There is no container of this name."""


class NoSuchImage(DockerRefused):
    """The image is not on this machine."""


class PullFailed(Exception):
    """An image could not be pulled; `reason` classifies why, the text is the registry's or Docker's sentence."""

    def __init__(self, image: str, reason: PullReason, message: str) -> None:
        super().__init__(message)
        self.image = image
        self.reason = reason
        self.message = message
