"""CodeCommit's events for EventBridge, and repository triggers.

https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codecommit.git import NULL, Reference
from homeport.engine.services.codecommit.tables import Row
from homeport.engine.services.codecommit.triggers import TRIGGER, wanted
from homeport.engine.services.context import Context

SOURCE = "aws.codecommit"


def reference_changed(ctx: Context, repository: Row, change: Reference) -> None:
    """A branch or tag was created, moved or deleted. Call inside the transaction that records it."""
    kind, name = _reference(change.name)
    event = "referenceUpdated"
    if change.old == NULL:
        event = "referenceCreated"
    elif change.new == NULL:
        event = "referenceDeleted"
    detail: dict[str, Any] = {
        "callerUserArn": change.pusher or ctx.principal.arn,
        "event": event,
        "referenceFullName": change.name,
        "referenceName": name,
        "referenceType": kind,
        "repositoryId": repository["repositoryId"],
        "repositoryName": repository["repositoryName"],
    }
    if change.new != NULL:
        detail["commitId"] = change.new
    if change.old != NULL:
        detail["oldCommitId"] = change.old
    resources = [ctx.arn(repository["repositoryName"])]
    ctx.emit(SOURCE, "CodeCommit Repository State Change", detail, resources)
    for trigger in wanted(repository, event, kind, name):
        input = {"trigger": trigger, "repositoryName": repository["repositoryName"], "detail": detail}
        id = f"{repository['repositoryId']}/{trigger['name']}/{change.name}/{change.old}/{change.new}"
        ctx.start(TRIGGER, id, input)


def pull_request_changed(ctx: Context, repository_name: str, detail: dict[str, Any]) -> None:
    """Something happened to a pull request. Call inside the transaction that records it."""
    ctx.emit(SOURCE, "CodeCommit Pull Request State Change", detail, [ctx.arn(repository_name)])


def _reference(full_name: str) -> tuple[str, str]:
    if full_name.startswith("refs/tags/"):
        return "tag", full_name.removeprefix("refs/tags/")
    return "branch", full_name.removeprefix("refs/heads/")
