"""A batch of builds: the builds of a buildspec's `batch`, each when what it depends on has succeeded.

https://docs.aws.amazon.com/codebuild/latest/userguide/batch-build.html
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.codebuild import board, combining, commit_statuses, preparing, sources
from homeport.engine.services.codebuild.batch_spec import BatchBuild
from homeport.engine.services.codebuild.buildspec import YamlFileError, parse
from homeport.engine.services.codebuild.execution import BUILD
from homeport.engine.services.codebuild.launch import launch
from homeport.engine.services.codebuild.tables import BATCHES, BUILDS, IN_PROGRESS, Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

_MAX_BUILDS = 100
_POLL = 2.0


class Batch:
    """One batch under way."""

    def __init__(self, x: Execution) -> None:
        self.x = x
        self.ctx: Context = x.ctx

    @property
    def row(self) -> Row:
        """The batch as it is now."""
        row = BATCHES.get(self.ctx, self.x.id)
        if row is None:
            raise Stopped("DELETED")
        return row

    async def run(self) -> str:
        """Run all builds and return the batch's status."""
        try:
            specs = await self._specs()
            await self.x.record("groups", lambda: self._begin(specs))
            status = await self._builds(specs)
            if status == "SUCCEEDED" and combining.combines(self.row):
                await self._combine()
            return status
        except PhaseFailed as error:
            end = (error.code, error.message)
            await self.x.record("failed", lambda: self._fail(*end))
            return "FAILED"
        except Stopped:
            await self._stop_others()
            return "STOPPED"
        except TimeoutError:
            await self._stop_others()
            return "TIMED_OUT"

    async def _specs(self) -> list[Row]:
        async def read() -> Row:
            try:
                return {"builds": await self._read()}
            except PhaseFailed as error:
                return {"failed": [error.code, error.message]}

        found = await self.x.step("spec", read)
        if "failed" in found:
            raise PhaseFailed(*found["failed"])
        specs: list[Row] = found["builds"]
        return specs

    async def _read(self) -> list[Row]:
        row = self.row
        workspace = Workspace(self.ctx, self.x.id)
        try:
            text, resolved = await preparing.read_buildspec(self.ctx, row, workspace)
            spec = parse(text)
        except YamlFileError as error:
            raise PhaseFailed("YAML_FILE_ERROR", str(error)) from None
        finally:
            await workspace.drop()
        if spec.batch is None:
            raise PhaseFailed("BATCH_SPEC_ERROR", "The buildspec has no key batch; a batch build needs one")
        allowed = row["buildBatchConfig"].get("restrictions", {}).get("maximumBuildsAllowed", _MAX_BUILDS)
        if len(spec.batch.builds) > allowed:
            raise PhaseFailed(
                "BATCH_SPEC_ERROR",
                f"The batch has {len(spec.batch.builds)} builds; the project allows {allowed}",
            )
        builds = [
            asdict(build) | {"fast_fail": spec.batch.fast_fail, "resolved": resolved}
            for build in spec.batch.builds
        ]
        return builds

    def _begin(self, specs: list[Row]) -> None:
        resolved = sources.shown_version(self.row["source"], specs[0]["resolved"])
        members = {"resolvedSourceVersion": resolved} if resolved else {}
        self._enter("IN_PROGRESS", buildGroups=self._groups(specs), **members)

    def _groups(self, specs: list[Row]) -> list[Row]:
        kept = {group["identifier"]: group for group in self.row.get("_kept", [])}
        return [
            kept.get(spec["identifier"])
            or {
                "identifier": spec["identifier"],
                "dependsOn": list(spec["depend_on"]),
                "ignoreFailure": spec["ignore_failure"],
                "priorBuildSummaryList": [],
            }
            for spec in specs
        ]

    async def _builds(self, specs: list[Row]) -> str:
        by_name = {spec["identifier"]: spec for spec in specs}
        deadline = self.row["startTime"] + self.row["buildTimeoutInMinutes"] * 60
        while True:
            for group in self._ready():
                spec = by_name[group["identifier"]]
                await self.x.step(f"start-{group['identifier']}", partial(self._start, spec), self._started)
            if self._ends(fast_fail=specs[0]["fast_fail"]):
                break
            await self._until_change(deadline)
        groups = self.row["buildGroups"]
        if specs[0]["fast_fail"] and any(_status(group) == "FAILED" for group in groups):
            await self._stop_others()
        good = all(_succeeded(group) or group["ignoreFailure"] for group in groups)
        return "SUCCEEDED" if good else "FAILED"

    def _ready(self) -> list[Row]:
        groups = {group["identifier"]: group for group in self.row["buildGroups"]}
        return [
            group
            for group in groups.values()
            if "currentBuildSummary" not in group
            and all(_succeeded(groups[name]) or groups[name]["ignoreFailure"] for name in group["dependsOn"])
            and all(_over(groups[name]) for name in group["dependsOn"])
        ]

    def _ends(self, fast_fail: bool) -> bool:
        groups = self.row["buildGroups"]
        if fast_fail and any(
            _over(group) and not _succeeded(group) and not group["ignoreFailure"] for group in groups
        ):
            return True
        running = [group for group in groups if "currentBuildSummary" in group and not _over(group)]
        return not running and not self._ready()

    async def _start(self, spec: Row) -> Row:
        build = BatchBuild(
            **{key: spec[key] for key in BatchBuild.__slots__} | {"depend_on": tuple(spec["depend_on"])}
        )
        row = self.row
        request = build_request(row, build, spec["resolved"], self.x.token(build.identifier))
        try:
            started = launch(self.ctx, request, row["initiator"], buildBatchArn=row["arn"])
        except AwsError as error:
            return {"identifier": build.identifier, "arn": "", "error": error.message}
        return {"identifier": build.identifier, "arn": started["arn"]}

    def _started(self, output: Row) -> None:
        summary: Row = {"arn": output["arn"], "requestedOn": self.ctx.now(), "buildStatus": IN_PROGRESS}
        if not output["arn"]:
            summary["buildStatus"] = "FAILED"
        self._change_group(output["identifier"], summary)

    def _change_group(self, identifier: str, summary: Row) -> None:
        row = self.row
        for group in row["buildGroups"]:
            if group["identifier"] == identifier:
                group["currentBuildSummary"] = summary
        self._save(row)

    async def _until_change(self, deadline: float) -> None:
        running = [
            group for group in self.row["buildGroups"] if "currentBuildSummary" in group and not _over(group)
        ]
        topics = [board.topic(_id(group)) for group in running]

        async def changed() -> bool | None:
            told = False
            for group in running:
                build = BUILDS.get(self.ctx, _id(group))
                status = build["buildStatus"] if build else "FAULT"
                if status == IN_PROGRESS:
                    continue
                summary = group["currentBuildSummary"] | {"buildStatus": status}
                if build:
                    summary |= _artifacts(build)
                self._change_group(group["identifier"], summary)
                told = True
            return True if told else None

        await self.x.until(changed, topics, _POLL, deadline)

    async def _combine(self) -> None:
        async def carry_out() -> Row:
            try:
                return {"artifacts": await combining.combine(self.ctx, self.row)}
            except PhaseFailed as error:
                return {"failed": [error.code, error.message]}

        await self.x.record("combining", lambda: self._enter(combining.PHASE))
        made = await self.x.step("combine", carry_out)
        if "failed" in made:
            raise PhaseFailed(*made["failed"])
        await self.x.record("combined", lambda: self._save(self.row | {"artifacts": made["artifacts"]}))

    async def _stop_others(self) -> None:
        for group in self.row.get("buildGroups", []):
            if "currentBuildSummary" in group and not _over(group):
                self.ctx.request_stop(BUILD, _id(group), "STOPPED")
                self._change_group(
                    group["identifier"], group["currentBuildSummary"] | {"buildStatus": "STOPPED"}
                )

    def _enter(self, phase: str, **members: Any) -> None:
        row = self.row | members
        now = self.ctx.now()
        _close(row, now, "SUCCEEDED", "", "")
        row["phases"].append({"phaseType": phase, "startTime": now})
        self._save(row | {"currentPhase": phase})

    def _fail(self, code: str, message: str) -> None:
        row = self.row
        _close(row, self.ctx.now(), "FAILED", code, message)
        self._save(row)

    def finish(self, status: str) -> None:
        """Write down the batch's end."""
        row = self.row
        now = self.ctx.now()
        _close(row, now, status, "", "")
        phase = status if status in ("SUCCEEDED", "STOPPED") else "FAILED"
        row["phases"].append(
            {
                "phaseType": phase,
                "startTime": now,
                "endTime": now,
                "durationInSeconds": 0,
                "phaseStatus": status,
            }
        )
        self._save(
            row | {"currentPhase": phase, "buildBatchStatus": status, "complete": True, "endTime": now}
        )

    def _save(self, row: Row) -> None:
        BATCHES.put(self.ctx, row)
        commit_statuses.note(self.ctx, row)
        self.ctx.notify(board.topic(row["id"]))


def build_request(row: Row, build: BatchBuild, resolved: str, token: str) -> dict[str, Any]:
    """The StartBuild request of one build of a batch."""
    request = dict(row["_request"]) | {"idempotencyToken": token}
    for name in ("buildBatchConfigOverride", "reportBuildBatchStatusOverride"):
        request.pop(name, None)
    if "buildTimeoutInMinutesOverride" in request:
        request["timeoutInMinutesOverride"] = request.pop("buildTimeoutInMinutesOverride")
    if resolved:
        request["sourceVersion"] = resolved
    if row["source"].get("reportBuildStatus"):
        individual = row["buildBatchConfig"].get("batchReportMode") == commit_statuses.INDIVIDUAL
        request["reportBuildStatusOverride"] = individual
    own = {
        "buildspecOverride": build.buildspec,
        "imageOverride": build.image,
        "computeTypeOverride": build.compute_type,
        "environmentTypeOverride": build.environment_type,
    }
    request |= {name: value for name, value in own.items() if value}
    if combining.combines(row):
        request["artifactsOverride"] = combining.piece(row, build.identifier)
    if build.privileged_mode is not None:
        request["privilegedModeOverride"] = build.privileged_mode
    variables = {"CODEBUILD_BATCH_BUILD_IDENTIFIER": build.identifier, **build.variables}
    request["environmentVariablesOverride"] = [
        *request.get("environmentVariablesOverride", []),
        *({"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()),
    ]
    return request


def _artifacts(build: Row) -> Row:
    """What a build left, as its batch shows it (`ResolvedArtifact`)."""
    found: Row = {}
    if location := build["artifacts"].get("location"):
        found["primaryArtifact"] = {"type": build["_artifacts"]["type"], "location": location}
    if build["secondaryArtifacts"]:
        types = {each["artifactIdentifier"]: each["type"] for each in build["_secondaryArtifacts"]}
        found["secondaryArtifacts"] = [
            {"type": types[name], "location": each["location"], "identifier": name}
            for each in build["secondaryArtifacts"]
            if (name := each["artifactIdentifier"])
        ]
    return found


def _id(group: Row) -> str:
    return str(group["currentBuildSummary"]["arn"]).rpartition(":build/")[2]


def _status(group: Row) -> str:
    return str(group.get("currentBuildSummary", {}).get("buildStatus", ""))


def _over(group: Row) -> bool:
    return _status(group) not in ("", IN_PROGRESS)


def _succeeded(group: Row) -> bool:
    return _status(group) == "SUCCEEDED"


def _close(row: Row, now: float, status: str, code: str, message: str) -> None:
    last = row["phases"][-1]
    if "endTime" not in last:
        last |= {
            "endTime": now,
            "phaseStatus": status,
            "durationInSeconds": int(now - last["startTime"]),
            "contexts": [{"statusCode": code, "message": message}],
        }


async def _run(x: Execution) -> None:
    if BATCHES.get(x.ctx, x.id) is None:
        return
    batch = Batch(x)
    status = await batch.run()
    await x.record("finish", lambda: batch.finish(status))


async def _failed(x: Execution, error: Exception) -> None:
    if BATCHES.get(x.ctx, x.id) is not None:
        batch = Batch(x)
        with x.ctx.store.transaction():
            batch._fail("INTERNAL_SERVICE_ERROR", str(error) or type(error).__name__)
            batch.finish("FAULT")


BATCH = ExecutionKind("codebuild.batch", _run, _failed)
