"""What an action provider works with while one action execution runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from homeport.engine.durable.execution import Execution
from homeport.engine.services.codepipeline import artifacts, tables, variables
from homeport.engine.services.codepipeline.actions.contract import MINUTE, ActionFailed
from homeport.engine.services.codepipeline.artifacts import Artifact
from homeport.engine.services.codepipeline.tables import Row
from homeport.engine.services.context import Client, Context
from homeport.engine.store.table import Table

T = TypeVar("T")

FOLDER = "codepipeline"
"""Where artifacts lie while they are worked on, in the data folder."""


class Running:
    """One action execution (or rule execution) whose row is in `table`. `configuration` is resolved; `x`
    journals the steps; `timeout` is in seconds, and the declaration's own goes before."""

    def __init__(self, x: Execution, table: Table, row: Row, execution: Row, timeout: float) -> None:
        self._table = table
        self.x = x
        self.ctx: Context = x.ctx
        self.row = row
        self.execution = execution
        self.action: Row = row["declaration"]
        self.pipeline = tables.declaration(x.ctx, row["pipelineName"], row["pipelineVersion"])
        self.role: str = self.action.get("roleArn") or self.pipeline["roleArn"]
        self.region: str = row["region"]
        minutes = self.action.get("timeoutInMinutes")
        self.deadline = row["startTime"] + (minutes * MINUTE if minutes else timeout)
        self.configuration: dict[str, str] = self.resolve(self.action.get("configuration", {}))
        self._brought: dict[str, Artifact] = {}

    def resolve(self, value: Any) -> Any:
        """A value of the declaration with its variables replaced. Raises UnresolvedVariable."""
        return variables.resolve(value, self.namespaces)

    def json(self, key: str) -> Any:
        """What a property that holds JSON says, None when it is not there. Variables are replaced in its values: a
        quotation mark in one does no harm. Raises ActionFailed for what is no JSON."""
        given = self.action.get("configuration", {}).get(key)
        if not given:
            return None
        try:
            return self.resolve(json.loads(given))
        except ValueError:
            pass  # a variable may hold more than a value
        try:
            return json.loads(self.configuration[key])
        except ValueError as error:
            raise ActionFailed(f"{key} is not valid JSON: {error}", code="ConfigurationError") from None

    @property
    def namespaces(self) -> dict[str, dict[str, str]]:
        """The variables that this action may refer to."""
        pipeline = {one["name"]: one["resolvedValue"] for one in self.execution["variables"]}
        execution = {"PipelineExecutionId": self.execution["pipelineExecutionId"]}
        return {**self.execution["namespaces"], "variables": pipeline, "codepipeline": execution}

    def client(self, service: str) -> Client:
        """A service in the action's region, as the pipeline's role; when the action has a role of its own, as that
        one, which the pipeline's role must be allowed to assume."""
        return self.ctx.client(service, role=self.role, region=self.region, through=self.through)

    @property
    def through(self) -> str | None:
        """The pipeline's role, when the action has a role of its own that has to be assumed by it."""
        return self.pipeline["roleArn"] if self.action.get("roleArn") else None

    async def bring_inputs(self) -> None:
        """Copy the input artifacts that lie in another region into the artifact store of the action's.

        https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html
        """
        store = self.store(self.region)["location"]
        for artifact in self.inputs:
            if artifact.bucket != store:
                key = artifacts.key(
                    self.row["pipelineName"], artifact.name, self.x.token(f"copy {artifact.name}")
                )
                copy = Artifact(artifact.name, store, key)
                await self.x.step(f"copy {artifact.name}", partial(self._copy, artifact, copy))
                self._brought[artifact.name] = copy

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for as long as it is needed. What a killed engine leaves there goes when the next one starts."""
        with tempfile.TemporaryDirectory(dir=self.ctx.engine.folder(FOLDER)) as name:
            yield Path(name)

    async def _copy(self, artifact: Artifact, copy: Artifact) -> None:
        with self.folder() as folder:
            await self.upload(copy, await self.download(artifact, folder))

    @property
    def inputs(self) -> list[Artifact]:
        """The input artifacts, in the order of the declaration."""
        return [self.input(one["name"]) for one in self.action.get("inputArtifacts", ())]

    def input(self, name: str) -> Artifact:
        """The input artifact of this name. Raises ActionFailed for one that no action has written."""
        if name in self._brought:
            return self._brought[name]
        location = self.execution["artifacts"].get(name)
        if location is None:
            raise ActionFailed(
                f"The input artifact {name} does not exist: no action of this execution wrote it"
            )
        return Artifact(name, location["bucket"], location["key"])

    def output(self, name: str) -> Artifact:
        """Where the output artifact of this name is written."""
        store = self.store(self.region)
        key = artifacts.key(self.row["pipelineName"], name, self.x.token(f"artifact {name}"))
        return Artifact(name, store["location"], key)

    def store(self, region: str) -> Row:
        """The artifact store of a region."""
        stores = self.pipeline.get("artifactStores")
        return stores[region] if stores else self.pipeline["artifactStore"]

    async def download(self, artifact: Artifact, folder: Path) -> Path:
        """The artifact's zip file, in a folder of the caller's."""
        return await artifacts.download(self.artifact_client("s3"), artifact, folder)

    async def upload(self, artifact: Artifact, file: Path) -> None:
        """Write the artifact from a zip file."""
        await artifacts.upload(self.artifact_client("s3"), artifact, file, self.store(self.region))

    def artifact_client(self, service: str) -> Client:
        """Artifacts are read and written as the pipeline's role."""
        return self.ctx.client(service, role=self.pipeline["roleArn"], region=self.region)

    async def external(self, id: str, url: str = "", summary: str = "") -> None:
        """Show what the action waits for: the build, the deployment. Once for each action execution."""

        def commit() -> None:
            self.row |= {"externalExecutionId": id, "externalExecutionUrl": url, "summary": summary}
            self._save()

        await self.x.record("external", commit)

    def note(self, **members: Any) -> None:
        """Write members of the action row, such as `summary`, when they changed."""
        if any(self.row.get(key) != value for key, value in members.items()):
            self.row |= members
            self._save()

    def _save(self) -> None:
        current = self._table.get(self.ctx, self.row["pipelineName"], self.row["sequence"])
        if current and current["status"] == "InProgress":
            self.row["lastUpdateTime"] = self.ctx.now()
            self._table.put(self.ctx, self.row)

    async def until(
        self, poll: Callable[[], Awaitable[T | None]], topics: Iterable[str] = (), every: float = 2.0
    ) -> T:
        """Poll until there is an answer. Raises ActionFailed when the action's time is over."""
        try:
            return await self.x.until(poll, topics, every, self.deadline)
        except TimeoutError:
            minutes = round((self.deadline - self.row["startTime"]) / MINUTE)
            raise ActionFailed(
                f"The action did not end within its time-out of {minutes} minutes", code="JobTimedOut"
            ) from None

    def override(self, revision_type: str) -> str | None:
        """The source revision that StartPipelineExecution gave for this action, if any."""
        for one in self.execution["overrides"]:
            if one["actionName"] == self.action["name"] and one["revisionType"] == revision_type:
                return one["revisionValue"]
        return None
