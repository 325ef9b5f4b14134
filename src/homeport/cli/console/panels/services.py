"""The services: the deployment that is under way, the tasks with their health, and why one stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from homeport.cli import codedeploy, deployments, tasks
from homeport.cli.address import addresses_of
from homeport.cli.console.delivery import Delivery, Refusals

STAGES = (
    ("Scale up", ("PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "BeforeInstall", "Install", "AfterInstall")),
    (
        "Test traffic",
        ("TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "AllowTestTraffic", "AfterAllowTestTraffic"),
    ),
    (
        "Traffic",
        (
            "PRE_PRODUCTION_TRAFFIC_SHIFT",
            "PRODUCTION_TRAFFIC_SHIFT",
            "POST_PRODUCTION_TRAFFIC_SHIFT",
            "BeforeAllowTraffic",
            "AllowTraffic",
        ),
    ),
    ("Bake", ("BAKE_TIME", "AfterAllowTraffic")),
    ("Clean up", ("CLEAN_UP",)),
)
"""The stages of a deployment that shifts traffic, ECS's and CodeDeploy's, as people tell them."""
EVENTS = 12
STOPPED = 4


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`services` in the order of the pipeline, and `calm`, when none is deployed to."""
    ecs = delivery.client("ecs")
    shown = []
    for cluster, name in delivery.services:
        described: dict[str, Any] = refusals.ask({}, ecs.describe_services, cluster=cluster, services=[name])
        group = delivery.groups.get((cluster, name))
        shown += [_service(delivery, refusals, group, each) for each in described.get("services", [])]
    addresses = _addresses(delivery) if shown else {}
    for each in shown:
        logical = delivery.logical(each["service"]["serviceArn"])
        each["address"] = addresses.get(logical.removesuffix("Service"), "")
    return {
        "calm": all(each["calm"] for each in shown),
        "services": shown,
        "declared": delivery.services,
    }


def _service(
    delivery: Delivery, refusals: Refusals, group: tuple[str, str] | None, service: dict[str, Any]
) -> dict[str, Any]:
    """A service, which the `group` of CodeDeploy deploys to when one is given."""
    ecs = delivery.client("ecs")
    cluster, name = service["clusterArn"], service["serviceName"]
    going = service.get("deployments") or service.get("taskSets", [])
    states = {each.get("rolloutState", "COMPLETED") for each in going}
    deployment = None
    if group:
        deployment = refusals.ask(None, codedeploy.running, delivery.client("codedeploy"), *group)
    elif len(going) > 1 or states != {"COMPLETED"}:
        deployment = refusals.ask(None, deployments.under_way, ecs, cluster, name)
    newest = max(going, key=lambda each: each["createdAt"], default=service)
    calm = not deployment and states <= {"COMPLETED"} and service["runningCount"] == service["desiredCount"]

    def look() -> tuple[list[dict[str, Any]], dict[str, dict[str, str]], Refusals]:
        noted = Refusals()
        both = [noted.ask([], tasks.of_service, ecs, cluster, name, each) for each in ("RUNNING", "STOPPED")]
        return [task for found in both for task in found], _health(delivery, noted, service), noted

    described, health, noted = delivery.kept(f"tasks of {name}", 30, look) if calm else look()
    refusals += [each for each in noted if each not in refusals]
    rows = [_task(each, newest.get("taskDefinition", ""), health) for each in described]
    stopped = _gathered([each for each in rows if each["stopped"] and each["why"]])
    return {
        "calm": calm,
        "service": service,
        "deployment": deployment,
        "steps": _steps(deployment),
        "versions": {side: _version(rows, side == "new") for side in ("old", "new")},
        "newest": newest,
        "running": sorted(
            (each for each in rows if not each["stopped"]), key=lambda each: each["since"], reverse=True
        ),
        "stopped": stopped[:STOPPED],
        "events": service.get("events", [])[:EVENTS],
    }


def _health(delivery: Delivery, refusals: Refusals, service: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The health of targets by their addresses."""
    elbv2 = delivery.client("elbv2")
    found: dict[str, dict[str, str]] = {}
    for balancer in service.get("loadBalancers", []):
        other = balancer.get("advancedConfiguration", {}).get("alternateTargetGroupArn")
        for group in filter(None, (balancer.get("targetGroupArn"), other)):
            described: dict[str, Any] = refusals.ask({}, elbv2.describe_target_health, TargetGroupArn=group)
            for each in described.get("TargetHealthDescriptions", []):
                state = each["TargetHealth"]
                why = " ".join(filter(None, (state.get("Reason"), state.get("Description"))))
                place = {"state": state["State"], "why": why}
                found[each["Target"]["Id"]] = place
    return found


def _task(task: dict[str, Any], newest: str, health: dict[str, dict[str, str]]) -> dict[str, Any]:
    details = {
        each["name"]: each["value"] for one in task.get("attachments", []) for each in one.get("details", [])
    }
    target = health.get(details.get("privateIPv4Address", ""), {})
    stopped = task["lastStatus"] == "STOPPED" or task.get("desiredStatus") == "STOPPED"
    moment: datetime = task.get("stoppedAt") or task.get("startedAt") or task["createdAt"]
    own = "" if task.get("healthStatus", "UNKNOWN") == "UNKNOWN" else task["healthStatus"].lower()
    return {
        "id": task["taskArn"].rpartition("/")[2],
        "revision": task["taskDefinitionArn"].rpartition("/")[2],
        "image": next((each["image"] for each in task["containers"] if "image" in each), ""),
        "new": task["taskDefinitionArn"] == newest,
        "status": task["lastStatus"],
        "health": target.get("state") or own,
        "because": target.get("why", "") if target.get("state") != "healthy" else "",
        "since": moment,
        "stopped": stopped,
        "why": "\n".join(tasks.why_stopped(task)) if stopped else "",
        "like": 0,
    }


def _version(rows: list[dict[str, Any]], new: bool) -> str:
    """What the running tasks of a side are called; empty when they are not called alike."""
    names = {tag_of(each["image"]) for each in rows if each["new"] == new and not each["stopped"]}
    return names.pop() if len(names) == 1 else ""


def tag_of(image: str) -> str:
    """The tag of an image's name, or the beginning of its digest: of `hello:3f2a1bc`, 3f2a1bc."""
    name, at, digest = image.partition("@")
    if at:
        return digest.partition(":")[2][:12]
    last = name.rpartition("/")[2]
    return last.partition(":")[2] or last


def _gathered(stopped: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks that stopped, the last first; those of one version with one reason as one, and how many others."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in sorted(stopped, key=lambda each: each["since"], reverse=True):
        first = found.setdefault((each["revision"], each["why"]), each)
        first["like"] += first is not each
    return list(found.values())


def _steps(deployment: deployments.Deployment | None) -> list[dict[str, str]]:
    """The stages of a deployment that shifts traffic, each done, now or to come."""
    if deployment is None or deployment.production is None:
        return []
    at = next((number for number, (_, names) in enumerate(STAGES) if deployment.stage in names), -1)
    states = ["done" if number < at else "now" if number == at else "later" for number in range(len(STAGES))]
    return [{"name": name, "state": state} for (name, _), state in zip(STAGES, states, strict=True)]


def _addresses(delivery: Delivery) -> dict[str, str]:
    """Where the stack's services answer, by the prefix of their names; none when its stack does not tell."""

    def look() -> dict[str, str]:
        stack = delivery.stack
        return addresses_of(delivery.target, stack) if stack else {}

    try:
        return delivery.kept("addresses", 120, look)
    except Exception:  # many stacks have no such output, or it leads elsewhere: a link less is no trouble
        return {}
