"""How a deployment begins, by the service's strategy, and how one ends that another takes the place of."""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.deployments import scaling
from homeport.engine.services.ecs.deployments.lifecycle import SHIFT, execution_id
from homeport.engine.services.ecs.deployments.shift import first
from homeport.engine.services.ecs.deployments.steps import SHIFTING
from homeport.engine.services.ecs.revisions import (
    end_service_deployment,
    keep_groups,
    new_deployment,
    new_service_deployment,
)
from homeport.engine.services.ecs.service_rows import alive, deployments
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS, SERVICE_DEPLOYMENTS
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire.errors import AwsError


def start(ctx: Context, service: Body, revision: Body, current: list[Body]) -> None:
    """Begin to bring the service from its current deployments (the newest first) to a revision. `service` must be
    written afterwards."""
    running = {row["deployment"] for row in alive(ctx, service)}
    sources = [deployment for deployment in current if deployment["id"] in running]
    started = new_service_deployment(ctx, service, revision, sources)
    deployment = new_deployment(ctx, service, revision, started["number"], None)
    source = _source(ctx, service, current)
    cluster, name = service["clusterName"], service["serviceName"]
    if service["shown"]["deploymentConfiguration"]["strategy"] in SHIFTING:
        SERVICE_DEPLOYMENTS.put(ctx, started | {"shift": first(source)})
        DEPLOYMENTS.put(ctx, deployment | {"scale": 0.0})
        input = {
            "cluster": cluster,
            "service": name,
            "number": started["number"],
            "deployment": deployment["id"],
        }
        ctx.start(SHIFT, execution_id(cluster, name, started["number"]), input)
    elif source:
        before = REVISIONS.get(ctx, cluster, name, source["revision"])
        assert before is not None
        keep_groups(ctx, revision, before)


def check_change(ctx: Context, service: Body, strategy: str) -> None:
    """Raise InvalidParameterException for a change to ROLLING while traffic is divided: no rolling deployment would
    bring it together again."""
    current = deployments(ctx, service)
    if strategy in SHIFTING or not current or current[0]["shown"]["rolloutState"] != "IN_PROGRESS":
        return
    if scaling.shifts(current[0]):
        raise AwsError(
            "InvalidParameterException",
            "The deployment strategy cannot be changed to ROLLING while a service deployment shifts traffic: wait for "
            "its end, or stop it.",
        )


def supersede(ctx: Context, service: Body, current: list[Body]) -> None:
    """End the deployment that is in progress, if one is: the next one takes its place."""
    if current:
        number = current[0]["serviceDeployment"]
        reason = "The service deployment was superseded by a new one."
        end_service_deployment(ctx, service, number, "STOPPED", reason)
        abandon(ctx, service, current)
    service["stopRequested"] = None


def abandon(ctx: Context, service: Body, current: list[Body]) -> None:
    """Leave what shifts traffic as it is."""
    for each in current:
        id = execution_id(service["clusterName"], service["serviceName"], each["serviceDeployment"])
        ctx.request_stop(SHIFT, id, "superseded")


def _source(ctx: Context, service: Body, current: list[Body]) -> Body | None:
    """The deployment that the service has its traffic at: the one that was completed last, or one that came so far
    that it has all of it."""
    last = service["lastCompleted"]
    for each in current:
        if last and each["revision"] == last["revision"]:
            return each
    for each in current:
        row = SERVICE_DEPLOYMENTS.get(
            ctx, each["clusterName"], each["serviceName"], each["serviceDeployment"]
        )
        shift = row.get("shift") if row else None
        if shift is None or (shift["production"] >= 100 and each["status"] == "PRIMARY"):
            return each
    return None
