"""homeport.yml as a validated model. Every key has a default but `app`; its description is its documentation."""

from __future__ import annotations

import difflib
import ipaddress
import zoneinfo
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from homeport.manifest.patterns import (
    ACTION,
    BRANCH,
    CERTIFICATE,
    CONNECTION,
    DAYS,
    EMAIL,
    RESOURCE,
    URL_PATH,
    VPC,
    Clock,
    Days,
    Name,
    Path,
    Secrets,
    Subnet,
    Variables,
)

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


class Part(BaseModel):
    """A part of the manifest: unknown keys are refused, values are not coerced across types."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Source(Part):
    """Where the code comes from."""

    provider: Literal["codecommit", "connection"] = Field(
        "codecommit",
        description="codecommit makes a repository; connection uses GitHub and others by CodeConnections",
    )
    repository: Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)*$", max_length=100)] | None = Field(
        None,
        description="owner/name for a connection; the app's name for CodeCommit",
        validate_default=True,
    )
    existing: bool = Field(False, description="the CodeCommit repository is there already: use it, make none")
    connection: str | None = Field(
        None, pattern=CONNECTION, description="ARN of an existing connection; one is made when left out"
    )
    branch: str = Field("main", pattern=BRANCH, description="the branch that goes to production")
    folder: Path | None = Field(
        None,
        description="the application's folder in a repository of several; paths under `build` begin there, and "
        "a connection starts the pipeline for changes under it only",
    )
    paths: list[Annotated[str, Field(min_length=1)]] = Field(
        [],
        max_length=8,
        description="start for changes under these globs only (connections; CodeCommit's events name no files)",
    )

    @field_validator("repository")
    @classmethod
    def _has_owner(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("provider") == "connection" and "/" not in (value or ""):
            raise ValueError("it must be owner/name when source.provider is connection")
        if info.data.get("provider") == "codecommit" and "/" in (value or ""):
            raise ValueError(
                "a CodeCommit repository has no slash in its name; owner/name is for a connection"
            )
        return value

    @field_validator("existing", "connection", "paths")
    @classmethod
    def _fits_provider(cls, value: object, info: ValidationInfo) -> object:
        fits = "codecommit" if info.field_name == "existing" else "connection"
        if value and info.data.get("provider", fits) != fits:
            raise ValueError(f"this is for source.provider: {fits}")
        return value


class Permission(Part):
    """What may be done in AWS, and on what."""

    actions: list[Annotated[str, Field(pattern=ACTION)]] = Field(
        min_length=1, description="names of actions, such as dynamodb:GetItem"
    )
    resources: list[Annotated[str, Field(pattern=RESOURCE)]] = Field(min_length=1, description="ARNs")


class Build(Part):
    """How the image is built and tested."""

    buildspec: Path | None = Field(
        None,
        description="path of a buildspec.yml; when left out, one that runs `test` and builds the Dockerfile",
    )
    dockerfile: Path = Field(
        "Dockerfile", description="path of the Dockerfile, for the buildspec that homeport writes"
    )
    context: Path = Field(".", description="folder that is built, for the buildspec that homeport writes")
    test: list[str] = Field([], description="commands that must pass before the image is built")
    compute: Literal["small", "medium", "large"] = Field("small", description="size of the build machine")
    image: str = Field("aws/codebuild/standard:7.0", pattern=r"^\S+$", description="image that builds run in")
    cache: Literal["none", "docker"] = Field("docker", description="docker keeps image layers between builds")
    timeout: int = Field(30, ge=5, le=480, description="minutes after which a build is stopped")
    environment: Variables = Field({}, description="variables of builds")
    secrets: Secrets = Field({}, description="variables from Secrets Manager or Parameter Store, by ARN")
    permissions: list[Permission] = Field([], description="what builds may do in AWS besides")


class Image(Part):
    """The image repository."""

    immutable: bool = Field(True, description="a tag never changes what it names")
    scan: bool = Field(True, description="scan each image when it is pushed")
    keep: int = Field(20, ge=1, le=1000, description="how many images to keep")
    stop_on: Literal["never", "critical", "high", "medium"] = Field(
        "never", alias="stop-on", description="findings of this severity or worse stop a release"
    )

    @field_validator("stop_on")
    @classmethod
    def _scans(cls, value: str, info: ValidationInfo) -> str:
        if value != "never" and not info.data.get("scan", True):
            raise ValueError("this needs image.scan: true")
        return value


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


class Deploy(Part):
    """How a new version takes over."""

    strategy: Literal["rolling", "blue-green", "canary", "linear"] = Field(
        "rolling", description="how traffic moves"
    )
    breaker: bool = Field(True, description="take a version back that does not become healthy")
    alarms: bool = Field(True, description="take a version back whose answers are 5xx")
    percent: float = Field(10.0, ge=0.1, le=100, description="traffic of a canary, or of each linear step")
    wait: int = Field(5, ge=0, le=1440, description="minutes of a canary, or between linear steps")
    bake: int = Field(5, ge=0, le=1440, description="minutes that the old version stands by afterwards")


class Environment(Part):
    """A place that a version passes on its way."""

    approval: bool = Field(False, description="a person lets a version in")
    count: int | None = Field(None, ge=1, le=1000, description="tasks, when not as in service.count")


class Network(Part):
    """Where tasks and builds run."""

    vpc: str | None = Field(
        None,
        pattern=VPC,
        description="an existing VPC; one is made when left out",
    )
    public_subnets: list[Subnet] = Field(
        [], alias="public-subnets", description="of the existing VPC, two at least", validate_default=True
    )
    private_subnets: list[Subnet] = Field(
        [], alias="private-subnets", description="of the existing VPC, two at least", validate_default=True
    )
    cidr: str = Field("10.0.0.0/16", description="addresses of a new VPC, a /16")
    egress: Literal["nat", "nat-per-zone", "endpoints"] = Field(
        "nat",
        description="how private subnets reach AWS: one NAT gateway, one for each zone, or VPC endpoints",
    )
    private_builds: bool = Field(
        True,
        alias="private-builds",
        description="run builds in the private subnets; with egress: endpoints they reach AWS only",
    )
    certificate: str | None = Field(
        None, pattern=CERTIFICATE, description="ACM certificate: serve HTTPS, and send HTTP there"
    )

    @field_validator("public_subnets", "private_subnets")
    @classmethod
    def _belong_to_vpc(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("vpc") and len(set(value)) < 2:
            raise ValueError("network.vpc needs two of them at least, in different zones")
        if value and "vpc" in info.data and not info.data["vpc"]:
            raise ValueError("they belong to an existing VPC: name it by network.vpc")
        return value

    @field_validator("cidr")
    @classmethod
    def _is_network(cls, value: str) -> str:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            raise ValueError(
                f"found {value!r}; it should be a network such as 10.0.0.0/16: {error}"
            ) from None
        if network.prefixlen != 16 or not network.is_private:
            raise ValueError(f"found {value!r}; it should be a private /16, such as 10.0.0.0/16")
        return value


class Schedule(Part):
    """Hours in which tasks run. Out of them, and on other days, there are fewer or none."""

    days: str = Field("MON-FRI", pattern=DAYS, description="days on which tasks run: MON-FRI, or TUE,THU")
    start: Clock = Field("07:00", description="when they start")
    stop: Clock = Field("20:00", description="when they stop, on the same day", validate_default=True)
    timezone: str = Field(
        "UTC", pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", description="such as Europe/Berlin"
    )
    count: int = Field(0, ge=0, le=1000, description="tasks out of these hours")
    environments: list[Name] = Field([], description="which environments rest; all when left out")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            if known := zoneinfo.available_timezones():  # none where the system has no such database
                near = difflib.get_close_matches(value, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"there is no time zone {value!r}{hint}") from None
        return value

    @field_validator("stop")
    @classmethod
    def _after_start(cls, value: str, info: ValidationInfo) -> str:
        if value <= info.data.get("start", ""):
            raise ValueError(f"it is {value}, not after start, which is {info.data['start']}")
        return value


class Cost(Part):
    """What may be spent less."""

    spot: int = Field(0, ge=0, le=100, description="percent of tasks on Fargate Spot")
    log_days: Days = Field(30, alias="log-days", description="days that logs are kept")
    artifact_days: int = Field(
        30, alias="artifact-days", ge=1, le=3650, description="days that artifacts are kept"
    )
    schedule: Schedule | None = Field(
        None, description="hours in which tasks run; always, when left out. `schedule: {}` is office hours"
    )


class Notify(Part):
    """Who hears of failures and approvals."""

    email: str | None = Field(
        None, pattern=EMAIL, description="an address; it is asked for its consent by mail"
    )


class Override(Part):
    """What homeport.yml cannot say, said in CloudFormation."""

    template: Path | None = Field(
        None, description="path of a template to deploy instead, beside homeport.yml"
    )
    resources: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")], dict[str, object]] = Field(
        {}, description="resources to add, by logical id"
    )
    patch: dict[str, object] = Field(
        {}, description="values to set in the template, by path: Resources.Service.Properties.DesiredCount"
    )


class Manifest(Part):
    """homeport.yml."""

    app: Name = Field(description="the application's name: lower-case letters, digits, hyphens")
    source: Source = Source()
    build: Build = Build()
    image: Image = Image()
    service: Service = Service()
    deploy: Deploy = Deploy()
    environments: dict[Name, Environment] = Field(
        {"production": Environment()}, description="in the order that a version passes them"
    )
    network: Network = Network()
    cost: Cost = Cost()
    notify: Notify = Notify()
    override: Override = Override()

    @property
    def container(self) -> str:
        """The name of the application's container."""
        return self.service.container or self.app

    @field_validator("environments")
    @classmethod
    def _some(cls, value: dict[str, Environment]) -> dict[str, Environment]:
        if not value:
            raise ValueError("it needs one environment at least, or must be left out")
        plain: dict[str, str] = {}
        for name in value:
            if (other := plain.setdefault(name.replace("-", ""), name)) != name:
                raise ValueError(f"{other} and {name} differ in hyphens only; CloudFormation's ids have none")
        return value

    @field_validator("service")
    @classmethod
    def _names_differ(cls, value: Service, info: ValidationInfo) -> Service:
        if (own := value.container or info.data.get("app")) in value.sidecars:
            raise ValueError(f"the sidecar {own} is named as the application's container is")
        return value

    @field_validator("cost")
    @classmethod
    def _rest_somewhere(cls, value: Cost, info: ValidationInfo) -> Cost:
        known = info.data.get("environments")
        resting = value.schedule.environments if value.schedule else ()
        if known and (unknown := [name for name in resting if name not in known]):
            raise ValueError(
                f"schedule.environments: there is no {unknown[0]!r}; there are {', '.join(known)}"
            )
        return value
