"""Where a command goes: the local engine, or an AWS account. All that follows is the same boto3 code."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from homeport.cli.environment import variables
from homeport.cli.processes import alive

AGENT_OF_CONSOLE = "homeport-console"
"""By which the audit trail tells what the console asks for from what its user does elsewhere."""


class TargetName(StrEnum):
    """The two places that a stack can be deployed to."""

    local = "local"
    aws = "aws"


class CannotReach(Exception):
    """Why the target cannot be used, and what to do about it."""


@dataclass(frozen=True)
class Target:
    """boto3 clients for one place."""

    name: TargetName = TargetName.local
    profile: str | None = None
    region: str | None = None
    data: Path | None = None
    agent: str = "homeport"
    """What clients add to their user agent, which the audit trail tells."""
    _lock: RLock = field(default_factory=RLock, init=False, repr=False, compare=False)
    """Clients are safe in threads, making them is not."""

    def __post_init__(self) -> None:
        if self.profile and self.name is TargetName.local and not self.is_named_by_environment:
            raise CannotReach(
                f"--profile {self.profile} is for your AWS account, and this command would go to the engine of this "
                "machine. Add --target aws, or leave --profile out."
            )

    @property
    def words(self) -> str:
        """The options that lead another command to the same place, each with a space before it: for hints."""
        data = "" if str(self.data) == os.environ.get("HOMEPORT_DATA") else self.data
        name = "" if self.name is TargetName.local else self.name
        given = {"--target": name, "--profile": self.profile, "--region": self.region, "--data": data}
        return "".join(f" {option} {shlex.quote(str(value))}" for option, value in given.items() if value)

    @property
    def folder(self) -> Path:
        """The local engine's data folder."""
        from homeport.engine.config import default_data

        return (self.data or default_data()).expanduser().absolute()

    @property
    def is_named_by_environment(self) -> bool:
        """Whether AWS_ENDPOINT_URL says where to go."""
        return self.name is TargetName.local and bool(os.environ.get("AWS_ENDPOINT_URL"))

    @cached_property
    def announced(self) -> dict[str, Any] | None:
        """What the last engine on the folder announced, which may have ended since; None when there was none."""
        try:
            return json.loads((self.folder / "engine.json").read_text())
        except (OSError, ValueError):
            return None

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the local engine announced. Raises CannotReach when none runs."""
        if self.announced is None or not alive(self.announced["pid"]):
            raise CannotReach(
                f"No engine runs on {self.folder}. Start one: homeport engine start --detach (or use --target aws)"
            )
        return self.announced

    @cached_property
    def session(self) -> Any:
        """The boto3 session. A local engine named by AWS_ENDPOINT_URL is used as it is."""
        import boto3

        if self.name is TargetName.aws or self.is_named_by_environment:
            region = self.region or os.environ.get(
                "AWS_REGION"
            )  # which boto3 does not read, unlike AWS's other tools
            return boto3.session.Session(profile_name=self.profile, region_name=region)
        return boto3.session.Session(
            aws_access_key_id=self.facts["access_key_id"],
            aws_secret_access_key=self.facts["secret_access_key"],
            region_name=self._local_region,
        )

    @property
    def _local_region(self) -> str:
        """A home engine has all regions, and one that is its own."""
        return self.region or str(self.facts["region"])

    def client(self, service: str) -> Any:
        """A boto3 client, the same one for a service each time."""
        from botocore.config import Config

        with self._lock:
            if service not in self._clients:
                local = self.name is TargetName.local and not self.is_named_by_environment
                url = self.facts["url"] if local else None
                config = Config(user_agent_extra=self.agent)
                self._clients[service] = self.session.client(service, endpoint_url=url, config=config)
            return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which aws, git and docker reach the target."""
        if self.name is TargetName.aws or self.is_named_by_environment:
            return dict(os.environ)
        return os.environ | variables(self.facts | {"region": self._local_region})
