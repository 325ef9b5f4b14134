"""What every part of homeport.yml is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from homeport.manifest.patterns import ACTION, RESOURCE


class Part(BaseModel):
    """A part of the manifest: unknown keys are refused, values are not coerced across types."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Permission(Part):
    """What may be done in AWS, and on what."""

    actions: list[Annotated[str, Field(pattern=ACTION)]] = Field(
        min_length=1, description="names of actions, such as dynamodb:GetItem"
    )
    resources: list[Annotated[str, Field(pattern=RESOURCE)]] = Field(min_length=1, description="ARNs")
