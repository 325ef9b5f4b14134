"""A build, from the queue to its end, as a durable execution.

The container is on its own once it has been started: while the engine is down the build goes on, and the engine that
comes back reads on where the last one stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from homeport.engine.containers.errors import DockerUnavailable
from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.codebuild import (
    board,
    container,
    finishing,
    log_stream,
    preparing,
    pump,
    transcript,
)
from homeport.engine.services.codebuild.environment import Mask
from homeport.engine.services.codebuild.log_stream import LogStream
from homeport.engine.services.codebuild.report_rows import keep_report
from homeport.engine.services.codebuild.tables import BUILDS, Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

_DOCKER_AWAY_SECONDS = 5.0
_REST_SECONDS = 2.0
"""How long the log of a build that was stopped is still read."""


class Building:
    """One build under way."""

    def __init__(self, x: Execution) -> None:
        self.x = x
        self.ctx: Context = x.ctx
        self.id = x.id
        self.ctx = replace(x.ctx, assumes_as=self.row.get("_assumesAs"))
        self.stream = LogStream(self.ctx, self.row)

    @property
    def row(self) -> Row:
        """The build as it is now."""
        row = BUILDS.get(self.ctx, self.id)
        if row is None:
            raise Stopped("DELETED")
        return row

    async def run(self) -> str:
        """Do all phases and return the build's status."""
        nonce = self.x.token("nonce")[:16]
        await self.x.record("begin", lambda: transcript.begin(self.ctx, self.id, nonce))
        try:
            await preparing.wait_for_slot(self.x, self.row)
            await self._enter("PROVISIONING")
            provisioned = await self._guarded(
                "provision", lambda: preparing.provision(self.ctx, self.row), self._say
            )
            await self._enter("DOWNLOAD_SOURCE")
            prepared = await self._guarded(
                "prepare",
                lambda: preparing.prepare(self.ctx, self.row, provisioned["image"], nonce),
                lambda output: preparing.prepared(self.ctx, self.id, output),
            )
            await self._guarded("container", self._create, self._downloaded)
            await self._guarded("start", self._start, lambda _: None)
            return await self._phases(prepared)
        except PhaseFailed as error:
            end = (error.status, error.code, error.message)
            await self.x.record("phase-failed", lambda: self._fail(*end))
            return "FAILED"
        except Stopped:
            return await self._interrupted("STOPPED", "Build was stopped")
        except TimeoutError:
            return await self._interrupted("TIMED_OUT", "Build has timed out")

    async def _guarded(
        self, name: str, effect: Callable[[], Awaitable[Row]], commit: Callable[[Row], None]
    ) -> Row:
        """A step whose failure is part of its record, so that a replay fails in the same way."""

        async def attempt() -> Row:
            try:
                return await effect()
            except PhaseFailed as error:
                return {"failed": [error.code, error.message, error.status]}

        output = await self.x.step(
            name, attempt, lambda output: None if "failed" in output else commit(output)
        )
        await self.stream.flush()
        if "failed" in output:
            raise PhaseFailed(*output["failed"])
        self.x.check_stop()
        return output

    async def _enter(self, phase: str) -> None:
        await self.x.record(f"enter-{phase}", lambda: board.enter(self.ctx, self.id, phase, self.ctx.now()))

    def _say(self, output: Row) -> None:
        transcript.say(self.ctx, self.id, *output["lines"])

    async def _create(self) -> Row:
        await preparing.make_container(self.ctx, self.row)
        return {}

    async def _start(self) -> Row:
        await preparing.start_container(self.ctx, self.row)
        return {}

    def _downloaded(self, _: Row) -> None:
        board.leave(self.ctx, self.id, "SUCCEEDED", self.ctx.now())
        transcript.say(
            self.ctx,
            self.id,
            "Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED",
            "Phase context status code:  Message: ",
        )

    def _fail(self, status: str, code: str, message: str) -> None:
        phase = self.row["currentPhase"]
        board.leave(self.ctx, self.id, status, self.ctx.now(), code, message)
        transcript.say(
            self.ctx,
            self.id,
            f"Phase complete: {phase} State: {status}",
            f"Phase context status code: {code} Message: {message}",
        )

    async def _phases(self, prepared: Row) -> str:
        """Follow the container to its end, then upload what it left."""
        workspace = Workspace(self.ctx, self.id)
        await workspace.drop_sources()
        # an engine that takes over must listen where the container calls it
        await self.ctx.engine.container_access()
        await self._follow(Mask(workspace.setup()["secrets"]))
        told = transcript.get(self.ctx, self.id)
        if told["result"] is None:
            raise PhaseFailed("BUILD_CONTAINER_DIED", await self._why_dead())
        await self._enter("UPLOAD_ARTIFACTS")
        output = await self._guarded(
            "upload", lambda: finishing.upload(self.ctx, self.row, prepared, told["ran"]), self._uploaded
        )
        if output["failure"]:
            raise PhaseFailed(*output["failure"])
        return "SUCCEEDED" if told["result"] else "FAILED"

    async def _follow(self, mask: Mask) -> None:
        done = f"codebuild.followed:{self.id}"
        enough = asyncio.Event()
        task = asyncio.create_task(
            pump.follow(self.ctx, self.row, mask, self.stream, enough), name=f"follow {self.id}"
        )
        task.add_done_callback(lambda _: self.ctx.engine.signals.notify(done))

        async def poll() -> bool | None:
            return True if task.done() else None

        try:
            await self.x.until(poll, [done], 5.0, self._deadline())
            await task
        except (Stopped, TimeoutError):
            await self.ctx.engine.docker.kill(container.name(self.ctx.engine.docker, self.id))
            # a build that floods its log has written more than can be read soon
            asyncio.get_running_loop().call_later(_REST_SECONDS, enough.set)
            await task
            if enough.is_set():
                cut = {
                    "lines": ["The build wrote more than could be read when it was stopped: the rest is lost"]
                }
                await self.x.record("log-cut", lambda: self._say(cut))
            raise
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _deadline(self) -> float:
        began = next(
            phase["startTime"] for phase in self.row["phases"] if phase["phaseType"] == "PROVISIONING"
        )
        return float(began + self.row["timeoutInMinutes"] * 60)

    async def _why_dead(self) -> str:
        docker = self.ctx.engine.docker
        found = await docker.inspect(container.name(docker, self.id))
        memory = bool(found and found["State"]["OOMKilled"])
        code = found["State"]["ExitCode"] if found else "unknown"
        why = "because it was out of memory" if memory else f"with exit code {code}"
        return f"Build container found dead before completing the build. Build container died {why}"

    def _uploaded(self, output: Row) -> None:
        transcript.say(self.ctx, self.id, *output["lines"])
        changes: dict[str, Any] = {"exportedEnvironmentVariables": output["exported"]}
        if output["artifacts"]:
            changes["artifacts"] = output["artifacts"]
        if output["secondary"]:
            changes["secondaryArtifacts"] = output["secondary"]
        changes["reportArns"] = [report["arn"] for report in output["reports"]]
        board.change(self.ctx, self.id, **changes)
        for report in output["reports"]:
            keep_report(self.ctx, report)
        if not output["failure"]:
            transcript.say(
                self.ctx,
                self.id,
                "Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED",
                "Phase context status code:  Message: ",
            )

    async def _interrupted(self, status: str, message: str) -> str:
        docker = self.ctx.engine.docker
        if BUILDS.get(self.ctx, self.id) is None:
            return status
        await docker.kill(container.name(docker, self.id))
        await self.x.record("interrupted", lambda: self._fail(status, status, message))
        return status

    async def finish(self, status: str) -> None:
        """Complete the log, then the build; remove the container last."""
        if BUILDS.get(self.ctx, self.id) is not None:
            await self._enter("FINALIZING")
            await self.stream.flush()

            async def write_log() -> Row:
                try:
                    await log_stream.write_s3(self.ctx, self.row)
                except PhaseFailed as error:
                    return {"failed": [error.code, error.message]}
                return {}

            written = await self.x.step("s3-log", write_log)
            if "failed" in written and status == "SUCCEEDED":
                await self.x.record("log-failed", lambda: self._fail("FAILED", *written["failed"]))
                status = "FAILED"
            await self.x.record("complete", lambda: board.complete(self.ctx, self.id, status, self.ctx.now()))
            await self.x.record("auto-retry", lambda: self._retry(status))
        await clean(self.ctx, self.id)

    def _retry(self, status: str) -> None:
        """Start the build again, as often as its autoRetryLimit says."""
        from homeport.engine.services.codebuild.launch import launch

        row = self.row
        config = row.get("autoRetryConfig")
        if status != "FAILED" or not config or config["autoRetryNumber"] >= config["autoRetryLimit"]:
            return
        again = {
            "autoRetryLimit": config["autoRetryLimit"],
            "autoRetryNumber": config["autoRetryNumber"] + 1,
            "previousAutoRetry": row["arn"],
        }
        try:
            started = launch(self.ctx, row["_request"], row["initiator"], autoRetryConfig=again)
        except AwsError as error:
            log.info("%s is not retried: %s", self.id, error)
            return
        board.change(self.ctx, self.id, autoRetryConfig=config | {"nextAutoRetry": started["arn"]})


async def clean(ctx: Context, id: str) -> None:
    """Remove what only a running build needs, its container once Docker answers."""
    while True:
        try:
            await ctx.engine.docker.remove(container.name(ctx.engine.docker, id))
            break
        except DockerUnavailable as error:
            log.warning("%s is over, but its container is not removed yet: %s", id, error)
            await asyncio.sleep(_DOCKER_AWAY_SECONDS)
    await Workspace(ctx, id).drop()
    with ctx.store.transaction():
        ctx.engine.identity.revoke_container_credentials(container.session(id))
        transcript.drop(ctx, id)
        ctx.notify(preparing.SLOT_TOPIC)


async def _run(x: Execution) -> None:
    if BUILDS.get(x.ctx, x.id) is None:
        await clean(x.ctx, x.id)
        return
    building = Building(x)
    await building.finish(await building.run())


async def _failed(x: Execution, error: Exception) -> None:
    with x.ctx.store.transaction():
        board.leave(
            x.ctx, x.id, "FAULT", x.ctx.now(), "INTERNAL_SERVICE_ERROR", str(error) or type(error).__name__
        )
        board.complete(x.ctx, x.id, "FAULT", x.ctx.now())
    await clean(x.ctx, x.id)


BUILD = ExecutionKind("codebuild.build", _run, _failed)
