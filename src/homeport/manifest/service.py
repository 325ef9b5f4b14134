"""`service` of homeport.yml: the application as it runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from homeport.manifest.part import Part, Permission
from homeport.manifest.patterns import URL_PATH, Name, Secrets, Variables

FARGATE_MEMORY: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: (1024, 2048, 3072, 4096),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""MiB that Fargate offers for each number of CPU units.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"""


class Autoscaling(Part):
    """How many tasks run, by load."""

    min: int = Field(2, ge=0, le=1000, description="fewest tasks")
    max: int = Field(10, ge=1, le=1000, description="most tasks", validate_default=True)
    cpu: int | None = Field(60, ge=1, le=100, description="percent of CPU to aim at")
    memory: int | None = Field(None, ge=1, le=100, description="percent of memory to aim at")
    requests: int | None = Field(None, ge=1, description="requests a minute and task to aim at")

    @field_validator("max")
    @classmethod
    def _in_order(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("min", 0):
            raise ValueError(f"it is {value}, less than autoscaling.min, which is {info.data['min']}")
        return value


class Sidecar(Part):
    """A container beside the application's."""

    image: str = Field(pattern=r"^\S+$", description="its image")
    port: int | None = Field(None, ge=1, le=65535, description="port that it listens on")
    environment: Variables = Field({}, description="its variables")
    essential: bool = Field(True, description="the task ends when it ends")


class Service(Part):
    """The application as it runs."""

    container: Name | None = Field(
        None,
        description="name of its container, which imagedefinitions.json names; the app's name when left out",
    )
    port: int = Field(80, ge=1, le=65535, description="port that the application listens on")
    health: str = Field(
        "/",
        pattern=URL_PATH,
        max_length=1024,
        description="path that answers 200 when the application is well",
    )
    cpu: Literal[256, 512, 1024, 2048, 4096, 8192, 16384] = Field(
        256, description="CPU units; 1024 are one vCPU"
    )
    memory: int = Field(
        512, description="MiB; Fargate offers certain amounts for each cpu", validate_default=True
    )
    count: int = Field(2, ge=1, le=1000, description="tasks, when there is no autoscaling")
    autoscaling: Autoscaling | None = Field(None, description="let the number of tasks follow the load")
    command: list[str] | None = Field(None, description="command in place of the image's")
    environment: Variables = Field({}, description="variables of the application")
    secrets: Secrets = Field({}, description="variables from Secrets Manager or Parameter Store, by ARN")
    sidecars: dict[Name, Sidecar] = Field({}, description="containers beside the application's")
    permissions: list[Permission] = Field([], description="what the application may do in AWS")
    stop_timeout: int = Field(
        30, alias="stop-timeout", ge=2, le=120, description="seconds from SIGTERM to SIGKILL"
    )

    @field_validator("memory")
    @classmethod
    def _fits_fargate(cls, value: int, info: ValidationInfo) -> int:
        offered = FARGATE_MEMORY.get(info.data.get("cpu", 0), (value,))
        if value not in offered:
            nearest = min(offered, key=lambda each: abs(each - value))
            raise ValueError(
                f"{value} is not offered for cpu {info.data['cpu']}: "
                f"it may be {offered[0]} to {offered[-1]} (nearest: {nearest})"
            )
        return value

    @field_validator("sidecars")
    @classmethod
    def _ports_differ(cls, value: dict[str, Sidecar], info: ValidationInfo) -> dict[str, Sidecar]:
        taken = {info.data.get("port"): "the application"}
        for name, sidecar in value.items():
            if sidecar.port and sidecar.port in taken:
                raise ValueError(f"{name} listens on port {sidecar.port}, as {taken[sidecar.port]} does")
            taken[sidecar.port] = name
        return value
