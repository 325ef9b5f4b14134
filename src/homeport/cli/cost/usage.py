"""What an estimate has to assume: how much a month sees. Each is an option of the command."""

from __future__ import annotations

from dataclasses import dataclass

HOURS = 730
"""Hours of a month, as AWS's calculator counts them."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One month. `tasks` is None for what the template or homeport.yml says."""

    tasks: float | None = None
    releases: float = 60
    build_minutes: float = 4
    deploy_minutes: float = 5
    image_gb: float = 0.2
    artifact_gb: float = 0.01
    traffic_gb: float = 50
    requests: float = 5
    nat_gb: float = 20
    log_gb: float = 5
    free_minutes: float = 100
    """Free each month in an account: minutes of small builds, and minutes of pipeline actions."""
