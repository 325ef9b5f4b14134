"""`homeport logs`: what the actions of an execution wrote."""

from __future__ import annotations

from typing import Any


def build_log(codebuild: Any, logs: Any, build_id: str, last: int = 1000) -> list[str]:
    """The last lines of a build's log in CloudWatch Logs; none when it has none yet."""
    build = codebuild.batch_get_builds(ids=[build_id])["builds"][0]
    where = build.get("logs", {})
    if not where.get("groupName") or not where.get("streamName"):
        return []
    try:
        page = logs.get_log_events(
            logGroupName=where["groupName"],
            logStreamName=where["streamName"],
            limit=last,
            startFromHead=False,
        )
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in page["events"]]
