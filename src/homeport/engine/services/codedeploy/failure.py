"""How a deployment fails, in CodeDeploy's error codes and sentences.
https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html"""

from __future__ import annotations

from homeport.engine.wire.errors import AwsError

FAILURE = "DEPLOYMENT_FAILURE"
ALARM = "DEPLOYMENT_STOP_ON_ALARM"
REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"

_NAMES = {
    "ecs": "AmazonECS",
    "elbv2": "AmazonElasticLoadBalancingV2",
    "lambda": "AWSLambda",
    "s3": "AmazonS3",
    "cloudwatch": "AmazonCloudWatch",
    "sns": "AmazonSNS",
}


class DeploymentFailed(Exception):
    """The deployment ends with this error code and message, in the status `Failed` or `Stopped`; `event` is the one
    that a group's automatic rollback may name."""

    def __init__(self, code: str, message: str, status: str = "Failed", event: str = FAILURE) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.event = event


def of_call(service: str, role: str, error: AwsError) -> DeploymentFailed:
    """The failure when a call that the deployment makes as its group's role is refused."""
    if "sts:AssumeRole" in error.message:
        return DeploymentFailed(
            "IAM_ROLE_MISSING",
            f"AWS CodeDeploy does not have the permissions required to assume the role {role}. {error.message}",
        )
    if error.code in ("AccessDenied", "AccessDeniedException", "AuthorizationError"):
        return DeploymentFailed(
            "IAM_ROLE_PERMISSIONS",
            f"The IAM role {role} does not give you permission to perform operations in the following AWS service: "
            f"{_NAMES[service]}. Contact your AWS administrator if you need help. If you are an AWS administrator, you "
            f"can grant permissions to your users or groups by creating IAM policies. {error.message}",
        )
    code, words = {
        "ecs": ("ECS_UPDATE_ERROR", "The ECS service could not be updated due to the following error: "),
        "elbv2": (
            "ELASTIC_LOAD_BALANCING_INVALID",
            "The ELB could not be updated due to the following error: ",
        ),
        "lambda": ("INVALID_LAMBDA_FUNCTION", "A lifecycle event hook could not be invoked: "),
        "s3": ("REVISION_MISSING", "The revision could not be read: "),
        "cloudwatch": ("ALARM_ACTIVE", "The status of the alarms could not be retrieved: "),
    }[service]
    return DeploymentFailed(code, words + error.message)
