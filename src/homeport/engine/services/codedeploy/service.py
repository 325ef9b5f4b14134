"""CodeDeploy: blue/green deployments of services on Amazon ECS.
https://docs.aws.amazon.com/codedeploy/latest/userguide/welcome.html"""

from __future__ import annotations

from homeport.engine.services.codedeploy.coordination import COORDINATION
from homeport.engine.services.codedeploy.execution import DEPLOYMENT
from homeport.engine.services.codedeploy.operations import (
    applications,
    cloud_formation,
    deployment_configs,
    deployment_groups,
    deployments,
    hooks,
    revisions,
    tags,
    targets,
)
from homeport.engine.services.service import Service

SERVICE = Service(
    "codedeploy",
    modules=(
        applications,
        cloud_formation,
        deployment_configs,
        deployment_groups,
        deployments,
        hooks,
        revisions,
        tags,
        targets,
    ),
    executions=(DEPLOYMENT, COORDINATION),
)
