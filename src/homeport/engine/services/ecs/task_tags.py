"""The tags that a task is born with.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"""

from __future__ import annotations

from homeport.engine.services.ecs.task_rows import Body


def of_run_task(cluster: str, request: Body, definition: Body) -> list[Body]:
    """Of a task of RunTask: its own, those of the row of its definition when they are to be propagated, and ECS's."""
    propagated = definition["tags"] if request.get("propagateTags") == "TASK_DEFINITION" else []
    managed = {"aws:ecs:clusterName": cluster} if request.get("enableECSManagedTags") else {}
    return _merged(propagated, request.get("tags", []), managed)


def of_service_task(service: Body, definition: Body) -> list[Body]:
    """Of a task of a service: what `propagateTags` says, and ECS's own."""
    shown = service["shown"]
    sources = {"SERVICE": shown.get("tags", []), "TASK_DEFINITION": definition["tags"]}
    managed = {"aws:ecs:clusterName": service["clusterName"], "aws:ecs:serviceName": service["serviceName"]}
    return _merged(
        sources.get(shown.get("propagateTags", ""), []),
        [],
        managed if shown.get("enableECSManagedTags") else {},
    )


def _merged(propagated: list[Body], own: list[Body], managed: dict[str, str]) -> list[Body]:
    tags = {tag["key"]: tag.get("value", "") for tag in [*propagated, *own]} | managed
    return [{"key": key, "value": value} for key, value in tags.items()]
