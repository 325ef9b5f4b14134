"""Why a deployment that shifts traffic cannot go on."""

from __future__ import annotations

from homeport.engine.wire.errors import AwsError


class DeploymentFailed(Exception):
    """The deployment has failed: the traffic goes back to the old revision. The text is the reason as AWS words it.

    `status` is how the service deployment ends then: `ROLLBACK_SUCCESSFUL`, or `STOPPED` when no rollback is
    wanted."""

    def __init__(self, reason: str, status: str = "ROLLBACK_SUCCESSFUL") -> None:
        super().__init__(reason)
        self.status = status


def rolled_back_because(cause: str) -> DeploymentFailed:
    """`Service deployment rolled back because …`."""
    return DeploymentFailed(f"Service deployment rolled back because {cause}")


def invalid_network(problem: str) -> DeploymentFailed:
    """Listener rules that do not fit.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html"""
    return rolled_back_because(f"of invalid networking configuration. {problem}")


def outage(error: AwsError) -> bool:
    """Whether a service could not answer now, so that asking again helps."""
    return (error.status or 400) >= 500
