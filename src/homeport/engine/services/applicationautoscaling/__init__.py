"""Application Auto Scaling for ECS services."""

from __future__ import annotations

from homeport.engine.services.applicationautoscaling import (
    activities,
    policies,
    scaling,
    scheduled_actions,
    targets,
)
from homeport.engine.services.service import Service

SERVICE = Service(
    "application-autoscaling",
    modules=(targets, policies, scheduled_actions, activities),
    reconcilers=(scaling.RECONCILER,),
)
