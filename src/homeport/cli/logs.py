"""What the actions of an execution wrote: builds and commands to CloudWatch Logs, services in their events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from homeport.cli.pipelines import Action, Execution, read
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


class StreamLog:
    """The lines of a log stream that were not read yet."""

    def __init__(self, logs: Any, group: str, stream: str) -> None:
        self._logs = logs
        self._place = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
        self._token: str | None = None

    @classmethod
    def of(cls, logs: Any, arn: str) -> StreamLog:
        """That of a log stream's ARN."""
        _, _, group, _, stream = arn.rsplit(":", 4)
        return cls(logs, group, stream)

    def fresh(self) -> Iterator[str]:
        """The lines since the last time; none of a stream that is not there yet."""
        while True:
            token = self._token
            try:
                page = self._logs.get_log_events(**self._place, **({"nextToken": token} if token else {}))
            except self._logs.exceptions.ResourceNotFoundException:
                return
            for event in page["events"]:
                yield event["message"]
            self._token = page["nextForwardToken"]
            if not page["events"] or self._token == token:
                return


class BuildLog:
    """The lines of a build's log that were not read yet."""

    def __init__(self, codebuild: Any, logs: Any, build_id: str) -> None:
        self._codebuild = codebuild
        self._logs = logs
        self._id = build_id
        self._stream: StreamLog | None = None
        self.ended = False

    def fresh(self) -> Iterator[str]:
        """The lines since the last time. `ended` tells afterwards that no more will come."""
        build = self._codebuild.batch_get_builds(ids=[self._id])["builds"][0]
        where = build.get("logs", {})
        if self._stream is None and where.get("groupName") and where.get("streamName"):
            self._stream = StreamLog(self._logs, where["groupName"], where["streamName"])
        if self._stream:
            yield from self._stream.fresh()
        self.ended = build["buildComplete"]


class ActionLog:
    """The lines of the log of an action that runs commands by itself, that were not read yet."""

    def __init__(self, target: Target, pipeline: str, execution: str, stage: str, action: str) -> None:
        self._codepipeline = target.client("codepipeline")
        self._logs = target.client("logs")
        self._execution = (pipeline, execution)
        self._name = (stage, action)
        self._stream: StreamLog | None = None
        self.ended = False

    def fresh(self) -> Iterator[str]:
        """The lines since the last time. `ended` tells afterwards that no more will come."""
        actions = read(self._codepipeline, *self._execution).actions
        action = next((each for each in actions if (each.stage, each.name) == self._name), None)
        if self._stream is None and action and action.log:
            self._stream = StreamLog.of(self._logs, action.log)
        if self._stream:
            yield from self._stream.fresh()
        self.ended = action is None or action.ended is not None


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
        self._read: dict[str, BuildLog | StreamLog] = {}
        self._seen: set[str] = set()

    def fresh(self, execution: Execution) -> Iterator[tuple[str, str]]:
        """Pairs of action and line."""
        for action in execution.actions:
            key = action.log or action.external_id
            if (log := self._read.get(key) or self._log(action)) is not None:
                self._read[key] = log
                for line in log.fresh():
                    yield action.name, line
            elif action.provider == "ECS" and action.started:
                for line in self._service(action, action.started):
                    yield action.name, line
            if action.status == "Failed" and action.name not in self._seen:
                self._seen.add(action.name)
                yield action.name, action.summary

    def _log(self, action: Action) -> BuildLog | StreamLog | None:
        if action.provider == "CodeBuild" and action.external_id:
            return BuildLog(self._codebuild, self._logs, action.external_id)
        return StreamLog.of(self._logs, action.log) if action.log else None

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
