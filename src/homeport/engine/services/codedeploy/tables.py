"""Where CodeDeploy keeps its rows, and finding them by what callers name them with.

A deployment's row holds what GetDeployment shows (`info`) and GetDeploymentTarget (`target`), the group's settings as
they were when it was created (`group`), its hooks' executions (`hooks`), and how it was decided to end (`decision`).
One that coordinates the update of a stack has no application and no group, but the stack's id (`externalId`).
"""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

APPLICATIONS = Table("codedeploy_applications", key=("applicationName",))
GROUPS = Table("codedeploy_deployment_groups", key=("applicationName", "deploymentGroupName"))
CONFIGS = Table("codedeploy_deployment_configs", key=("deploymentConfigName",))
REVISIONS = Table("codedeploy_revisions", key=("applicationName", "digest"))
DEPLOYMENTS = Table(
    "codedeploy_deployments",
    key=("deploymentId",),
    columns=("applicationName", "deploymentGroupName", "status"),
)

ENDED = ("Succeeded", "Failed", "Stopped")
"""The statuses that a deployment stays in."""


def application(ctx: Context, name: str) -> Body:
    """The application. Raises ApplicationDoesNotExistException."""
    found = APPLICATIONS.get(ctx, name)
    if found is None:
        raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return found


def group(ctx: Context, application_name: str, name: str) -> Body:
    """The deployment group. Raises ApplicationDoesNotExistException, DeploymentGroupDoesNotExistException."""
    application(ctx, application_name)
    found = GROUPS.get(ctx, application_name, name)
    if found is None:
        raise AwsError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return found


def deployment(ctx: Context, id: str) -> Body:
    """The deployment. Raises InvalidDeploymentIdException, DeploymentDoesNotExistException."""
    if not id.startswith("d-"):
        raise AwsError("InvalidDeploymentIdException", f"The deployment ID {id} is not in a valid format")
    found = DEPLOYMENTS.get(ctx, id)
    if found is None:
        raise AwsError("DeploymentDoesNotExistException", f"The deployment {id} could not be found")
    return found


def deployments_of(ctx: Context, group_row: Body) -> list[Body]:
    """The group's deployments, the newest first."""
    rows = DEPLOYMENTS.list(
        ctx,
        applicationName=group_row["applicationName"],
        deploymentGroupName=group_row["deploymentGroupName"],
    )
    return sorted(rows, key=lambda row: row["info"]["createTime"], reverse=True)


def linked_to(ctx: Context, external_id: str) -> list[Body]:
    """The deployments that coordinate updates of a stack."""
    return [row for row in DEPLOYMENTS.list(ctx) if row["info"].get("externalId") == external_id]
