"""Where ECS keeps its rows."""

from __future__ import annotations

from homeport.engine.store.table import Table

CLUSTERS = Table("ecs_clusters", key=("clusterName",), columns=("status",))
DEFINITIONS = Table("ecs_task_definitions", key=("family", "revision"), columns=("status",))
SERVICES = Table("ecs_services", key=("clusterName", "serviceName"), columns=("status",))
EVENTS = Table("ecs_service_events", key=("clusterName", "serviceName", "number"))
DEPLOYMENTS = Table("ecs_deployments", key=("clusterName", "serviceName", "number"), columns=("status",))
SERVICE_DEPLOYMENTS = Table(
    "ecs_service_deployments", key=("clusterName", "serviceName", "number"), columns=("id", "status")
)
REVISIONS = Table("ecs_service_revisions", key=("clusterName", "serviceName", "id"))
TASKS = Table(
    "ecs_tasks", key=("clusterName", "taskId"), columns=("serviceName", "desiredStatus", "lastStatus")
)
USAGE = Table("ecs_usage", key=("clusterName", "serviceName"))
LOG_POSITIONS = Table("ecs_log_positions", key=("taskId", "container"))
SETTINGS = Table("ecs_settings", key=("name",))
SESSIONS = Table("ecs_sessions", key=("sessionId",))
TOKENS = Table("ecs_tokens", key=("token",))
