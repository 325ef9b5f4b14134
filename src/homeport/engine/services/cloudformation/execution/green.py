"""A green deployment: how an update goes when the hook AWS::CodeDeploy::BlueGreen carries it out.

CodeDeploy has a deployment of its own, and says what comes next: GetDeploymentTarget shows the lifecycle event that is
under way and how much of the traffic green is to have. This file does it with the stack's resources, so that a rollback
finds in their rows what to bring back.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/about-blue-green-deployments.html#blue-green-how-it-works
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from homeport.engine.services.cloudformation.blue_green.colours import shared
from homeport.engine.services.cloudformation.blue_green.hook import TYPE, load_hook
from homeport.engine.services.cloudformation.blue_green.hook import failed as hook_failed
from homeport.engine.services.cloudformation.execution import resource
from homeport.engine.services.cloudformation.execution.work import CANCELLED, ResourceFailed, Work
from homeport.engine.services.cloudformation.graph import Graph
from homeport.engine.services.cloudformation.tables import Body, add_event
from homeport.engine.services.cloudformation.template import Resource, Template
from homeport.engine.wire.errors import AwsError

_STAGES = ("Install", "AllowTestTraffic", "AllowTraffic")
_LOOK_SECONDS = 1.0
_WEEK = 7 * 86400.0

Failures = dict[str, str]


class GreenDeployment:
    """The green deployment of a running update. `before` are the resources' rows at its start."""

    def __init__(self, work: Work, template: Template, graph: Graph, before: dict[str, Body]) -> None:
        self._work = work
        self._template = template
        self._graph = graph
        self._before = before
        green: Body = work.stack["green"]
        self._hook = load_hook(green["hook"])
        self._colour: int = green["colour"]
        self._install: list[str] = green["install"]
        self._production: list[str] = green["production"]
        self._test: list[str] = green["test"]

    async def carry_out(self, reason: Callable[[Failures], str]) -> str | None:
        """Answers why it failed, None when it did not. `reason` says it of failures of resources."""
        begun = await self._work.x.step("hook", self._begin, self._tell_begun)
        if "error" in begun:
            return self._failed(begun["error"])
        why = await self._follow(begun["id"], reason)
        await self._work.x.record("hook ended", lambda: self._tell_end(begun["id"], why))
        return why

    async def _begin(self) -> Body:
        """Have CodeDeploy begin its deployment, with the permissions of the stack."""
        hook, work = self._hook, self._work
        client = work.actor.client("codedeploy", role=work.role, token=work.x.token("hook"))
        try:
            answer = await client.create_cloud_formation_deployment(
                externalId=work.stack_id,
                trafficRoutingConfig=hook.routing,
                terminationWaitTimeInMinutes=hook.termination,
                testTraffic=hook.test is not None,
                lifecycleEventHooks=hook.functions or None,
                serviceRoleArn=await self._role(),
            )
        except AwsError as error:
            return {"error": error.message}
        return {"id": answer["deploymentId"]}

    async def _role(self) -> str | None:
        """The ARN of the hook's role, which a template may name."""
        role = self._hook.role
        if role is None or role.startswith("arn:"):
            return role
        found = await self._work.ctx.client("iam", as_service=True).get_role(RoleName=role)
        return str(found["Role"]["Arn"])

    async def _follow(self, id: str, reason: Callable[[Failures], str]) -> str | None:
        """Do what CodeDeploy asks for, one thing after the other."""
        x, number, last = self._work.x, 0, None
        while True:
            asked = await x.step(f"ask {number}", partial(self._asked, id, last))
            if "status" in asked:
                return None
            if "error" in asked:
                return await self._stop(id, {self._hook.id: asked["error"]}, self._failed(asked["error"]))
            if "stopped" in asked:
                stopped = {self._hook.id: asked["stopped"]}
                cancelled = asked["stopped"] == CANCELLED
                return await self._stop(id, stopped, reason(stopped) if cancelled else asked["stopped"])
            if failures := await self._do(**asked):
                return await self._stop(id, failures, reason(failures))
            await x.step(f"answer {number}", partial(self._answer, id, asked))
            number, last = number + 1, asked

    async def _asked(self, id: str, last: Body | None) -> Body:
        """What CodeDeploy wants now that it did not want before: an `event` and a `percent`; or how it ended."""
        client = self._work.actor.client("codedeploy", role=self._work.role)

        async def look() -> Body | None:
            info = (await client.get_deployment(deploymentId=id))["deploymentInfo"]
            if info["status"] == "Succeeded":
                return {"status": info["status"]}
            if info["status"] in ("Failed", "Stopped"):
                return {"error": info["errorInformation"]["message"]}
            answer = await client.get_deployment_target(deploymentId=id, targetId=self._work.stack_id)
            target = answer["deploymentTarget"]["cloudFormationTarget"]
            asked = _stage(target)
            return asked if asked != last else None

        try:
            return await self._work.poll(look, _LOOK_SECONDS, _WEEK)
        except AwsError as error:
            return {"error": error.message}
        except ResourceFailed as failed:  # cancelled, or a rollback trigger
            return {"stopped": str(failed)}

    async def _do(self, event: str, percent: int) -> Failures:
        if event == "Install":
            return await self._share(self._production, 0) or await self._make_green()
        if event == "AllowTestTraffic":
            return await self._share(self._test, 100)
        failures = await self._share(self._production, percent)
        return failures or (await self._finish() if percent == 100 else {})

    async def _make_green(self) -> Failures:
        # after a rollback, which has brought the old template back, a restart comes by here again
        graph = {id: self._graph.get(id, frozenset()) & set(self._install) for id in self._install}
        return await self._work.walk(
            "install", graph, lambda id: resource.create(self._work, self._template.resources[id])
        )

    async def _share(self, ids: list[str], percent: int) -> Failures:
        """Give green so much of what listeners, and rules of theirs, forward."""
        work, name = self._work, f"shift {percent} {'test' if ids is self._test else 'production'}"
        rows: dict[str, Body] = await work.x.step(f"{name} rows", lambda: self._rows(ids))

        async def visit(id: str) -> None:
            body = shared(self._template.body["Resources"][id], self._hook, self._colour, percent)
            await resource.update(work, _resource(id, body), rows[id], name=f"{name}.{id}")

        return await work.walk(name, {id: frozenset() for id in ids}, visit)

    async def _rows(self, ids: list[str]) -> dict[str, Body]:
        return {id: self._work.row(id) or {} for id in ids}

    async def _finish(self) -> Failures:
        """What else the new template changes: the primary task set, and what refers to the application."""
        done = {*self._install, *self._production, *self._test}
        graph = {id: needs - done for id, needs in self._graph.items() if id not in done}
        work, resources = self._work, self._template.resources
        return await work.walk(
            "walk", graph, lambda id: resource.update(work, resources[id], self._before[id])
        )

    async def _answer(self, id: str, asked: Body) -> None:
        await self._as_cloudformation().update_cloud_formation_deployment(
            deploymentId=id,
            lifecycleEventName=asked["event"],
            targetVersionWeight=asked["percent"],
        )

    async def _stop(self, id: str, failures: Failures, why: str) -> str:
        """End CodeDeploy's deployment. Answers `why`."""
        cancelled = CANCELLED in failures.values()
        message = (
            "The update of the stack was cancelled."
            if cancelled
            else f"The update of the stack failed: {why}"
        )

        async def stop() -> None:
            await self._as_cloudformation().update_cloud_formation_deployment(
                deploymentId=id, status="Stopped" if cancelled else "Failed", message=message
            )

        await self._work.x.step("hook stopped", stop)
        return why

    def _as_cloudformation(self) -> Any:
        return self._work.ctx.client("codedeploy", as_service=True)

    def _failed(self, message: str) -> str:
        return hook_failed(self._hook.id, message)

    def _tell_begun(self, begun: Body) -> None:
        if "id" in begun:
            self._tell(begun["id"], "HOOK_IN_PROGRESS", f"CodeDeploy deployment {begun['id']}")

    def _tell_end(self, id: str, why: str | None) -> None:
        status = "HOOK_COMPLETE_FAILED" if why else "HOOK_COMPLETE_SUCCEEDED"
        self._tell(id, status, why or f"CodeDeploy deployment {id} succeeded")

    def _tell(self, id: str, status: str, reason: str) -> None:
        stack = self._work.stack
        told = {"HookType": TYPE, "HookStatus": status, "HookStatusReason": reason, "HookInvocationId": id}
        add_event(
            self._work.ctx,
            stack,
            stack["StackName"],
            stack["StackId"],
            "AWS::CloudFormation::Stack",
            stack["StackStatus"],
            hook=told,
        )


def _stage(target: Body) -> Body | None:
    """What a deployment's target waits for, if it is CloudFormation's to do."""
    for event in target["lifecycleEvents"]:
        name, percent = event["lifecycleEventName"], int(target["targetVersionWeight"])
        if event["status"] == "InProgress" and name in _STAGES and (percent or name != "AllowTraffic"):
            return {"event": name, "percent": percent}
    return None


def _resource(id: str, body: Body) -> Resource:
    return Template({"Resources": {id: body}}).resources[id]
