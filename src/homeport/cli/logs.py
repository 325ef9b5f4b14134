"""What the actions of an execution wrote: builds to CloudWatch Logs, services in their events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from homeport.cli.pipelines import Action, Execution
from homeport.cli.target import Target


def build_log(codebuild: Any, logs: Any, build_id: str, last: int = 1000) -> list[str]:
    """The last lines of a build's log; none when it has none yet."""
    where = codebuild.batch_get_builds(ids=[build_id])["builds"][0].get("logs", {})
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


class BuildLog:
    """The lines of a build's log that were not read yet."""

    def __init__(self, codebuild: Any, logs: Any, build_id: str) -> None:
        self._codebuild = codebuild
        self._logs = logs
        self._id = build_id
        self._token: str | None = None
        self.ended = False

    def fresh(self) -> Iterator[str]:
        """The lines since the last time. `ended` tells afterwards that no more will come."""
        build = self._codebuild.batch_get_builds(ids=[self._id])["builds"][0]
        yield from self._lines(build.get("logs", {}))
        self.ended = build["buildComplete"]

    def _lines(self, where: dict[str, Any]) -> Iterator[str]:
        if not where.get("groupName") or not where.get("streamName"):
            return
        arguments = {
            "logGroupName": where["groupName"],
            "logStreamName": where["streamName"],
            "startFromHead": True,
        }
        while True:
            token = self._token
            try:
                page = self._logs.get_log_events(**arguments, **({"nextToken": token} if token else {}))
            except self._logs.exceptions.ResourceNotFoundException:
                return
            for event in page["events"]:
                yield event["message"]
            self._token = page["nextForwardToken"]
            if not page["events"] or self._token == token:
                return


class LogFollower:
    """The lines of an execution that were not shown yet, action by action."""

    def __init__(self, target: Target, pipeline: str) -> None:
        self._codebuild = target.client("codebuild")
        self._logs = target.client("logs")
        self._ecs = target.client("ecs")
        declared = target.client("codepipeline").get_pipeline(name=pipeline)["pipeline"]
        self._configuration = {
            (stage["name"], action["name"]): action.get("configuration", {})
            for stage in declared["stages"]
            for action in stage["actions"]
        }
        self._builds: dict[str, BuildLog] = {}
        self._seen: set[str] = set()

    def fresh(self, execution: Execution) -> Iterator[tuple[str, str]]:
        """Pairs of action and line."""
        for action in execution.actions:
            if action.provider == "CodeBuild" and action.external_id:
                for line in self._build(action.external_id):
                    yield action.name, line
            elif action.provider == "ECS" and action.started:
                for line in self._service(action, action.started):
                    yield action.name, line
            if action.status == "Failed" and action.name not in self._seen:
                self._seen.add(action.name)
                yield action.name, action.summary

    def _build(self, build_id: str) -> Iterator[str]:
        if build_id not in self._builds:
            self._builds[build_id] = BuildLog(self._codebuild, self._logs, build_id)
        yield from self._builds[build_id].fresh()

    def _service(self, action: Action, started: datetime) -> Iterator[str]:
        configuration = self._configuration[action.stage, action.name]
        services = self._ecs.describe_services(
            cluster=configuration["ClusterName"], services=[configuration["ServiceName"]]
        )["services"]
        for event in reversed(services[0]["events"] if services else []):
            meanwhile = started <= event["createdAt"] <= (action.ended or event["createdAt"])
            if event["id"] not in self._seen and meanwhile:
                self._seen.add(event["id"])
                yield event["message"]
