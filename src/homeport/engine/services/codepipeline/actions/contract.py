"""What an action provider is: its type, its limits, its configuration properties, and how it runs.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running

MINUTE, HOUR, DAY = 60, 3600, 86400


class ActionTypeId(NamedTuple):
    """What an action declaration names its provider by."""

    category: str
    owner: str
    provider: str
    version: str = "1"

    @classmethod
    def of(cls, declared: Mapping[str, str]) -> ActionTypeId:
        return cls(declared["category"], declared["owner"], declared["provider"], declared["version"])


@dataclass(frozen=True, slots=True)
class Property:
    """One key of an action's configuration."""

    name: str
    required: bool = False
    secret: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a source action took: the revision that histories and the source revision overrides name."""

    id: str
    summary: str = ""
    url: str = ""
    created: float | None = None


@dataclass(frozen=True, slots=True)
class ActionResult:
    """How an action succeeded. `outputs` are the S3 keys of the output artifacts that it wrote."""

    summary: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    revision: Revision | None = None


class ActionFailed(Exception):
    """The action ends as Failed with AWS's error code and this message."""

    def __init__(self, message: str, code: str = "JobFailed", summary: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.summary = summary


@dataclass(frozen=True, slots=True)
class ActionProvider:
    """One action type. `run` drives one action execution to its end as durable steps."""

    type: ActionTypeId
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    properties: tuple[Property, ...]
    run: Callable[[Running], Awaitable[ActionResult]]
    timeout: float = HOUR
    open_configuration: bool = False
    """Whether keys besides `properties` are allowed."""
    v2_only: bool = False
    """Whether pipelines of the type V1 cannot have it."""
