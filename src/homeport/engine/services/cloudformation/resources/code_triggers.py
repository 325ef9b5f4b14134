"""The webhook of a build project: its property Triggers.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-codebuild-project-projecttriggers.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, send
from homeport.engine.services.cloudformation.resources.provider import Request, is_present
from homeport.engine.wire.errors import AwsError

_MEMBERS = {
    "projectName": "id",
    "filterGroups": "properties.Triggers.FilterGroups",
    "buildType": "properties.Triggers.BuildType",
    "scopeConfiguration": "properties.Triggers.ScopeConfiguration",
    "pullRequestBuildPolicy": "properties.Triggers.PullRequestBuildPolicy",
}
_CREATE = Call("create_webhook", _MEMBERS, only=True)
_UPDATE = Call("update_webhook", _MEMBERS, only=True)
_DELETE = Call("delete_webhook", {"projectName": "id"}, only=True)


@dataclass(frozen=True, slots=True)
class Triggers:
    """There is a webhook where `Triggers.Webhook` is true."""

    def named(self) -> tuple[str, ...]:
        return ("Triggers",)

    def own(self, changed: set[str]) -> set[str]:
        return changed & {"Triggers"}

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if not _wanted(request.properties):
            return
        try:
            await send(request, service, _CREATE, names)
        except AwsError as error:  # an earlier process may have got here
            if not (request.resumed and is_present(error)):
                raise

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        before, after = _wanted(request.previous), _wanted(request.properties)
        if before or after:
            await send(
                request, service, _UPDATE if before and after else _CREATE if after else _DELETE, names
            )

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None


def _wanted(properties: dict[str, Any]) -> bool:
    return str((properties.get("Triggers") or {}).get("Webhook", "false")).lower() == "true"
