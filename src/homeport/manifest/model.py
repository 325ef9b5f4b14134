"""homeport.yml as a validated model. Every key has a default but `app`; its description is its documentation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")]
Days = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]

Subnet = Annotated[str, Field(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]

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
    repository: str | None = Field(
        None, description="owner/name for a connection; the app's name for CodeCommit"
    )
    connection: str | None = Field(
        None, description="ARN of an existing connection; one is made when left out"
    )
    branch: str = Field("main", description="the branch that goes to production")
    paths: list[str] = Field([], max_length=8, description="start for changes under these globs only")

    @model_validator(mode="after")
    def _has_repository(self) -> Source:
        if self.provider == "connection" and "/" not in (self.repository or ""):
            raise ValueError("source.repository must be owner/name when the provider is connection")
        if self.provider == "codecommit" and self.connection:
            raise ValueError("source.connection is for the provider connection only")
        return self


class Build(Part):
    """How the image is built and tested."""

    buildspec: str | None = Field(
        None,
        description="path of a buildspec.yml; one that tests nothing and builds the Dockerfile when left out",
    )
    dockerfile: str = Field(
        "Dockerfile", description="path of the Dockerfile, for the buildspec that homeport writes"
    )
    context: str = Field(".", description="folder that is built, for the buildspec that homeport writes")
    test: list[str] = Field([], description="commands that must pass before the image is built")
    compute: Literal["small", "medium", "large"] = Field("small", description="size of the build machine")
    image: str = Field("aws/codebuild/standard:7.0", description="image that builds run in")
    cache: Literal["none", "docker"] = Field("docker", description="docker keeps image layers between builds")
    timeout: int = Field(30, ge=5, le=480, description="minutes after which a build is stopped")
    environment: dict[str, str] = Field({}, description="variables of builds")
    secrets: dict[str, str] = Field(
        {}, description="variables from Secrets Manager or Parameter Store, by ARN"
    )


class Image(Part):
    """The image repository."""

    immutable: bool = Field(True, description="a tag never changes what it names")
    scan: bool = Field(True, description="scan each image when it is pushed")
    keep: int = Field(20, ge=1, le=1000, description="how many images to keep")
    stop_on: Literal["never", "critical", "high", "medium"] = Field(
        "never", alias="stop-on", description="findings of this severity or worse stop a release"
    )

    @model_validator(mode="after")
    def _scans(self) -> Image:
        if self.stop_on != "never" and not self.scan:
            raise ValueError("image.stop-on needs image.scan: true")
        return self


class Autoscaling(Part):
    """How many tasks run, by load."""

    min: int = Field(2, ge=0, le=1000, description="fewest tasks")
    max: int = Field(10, ge=1, le=1000, description="most tasks")
    cpu: int | None = Field(60, ge=1, le=100, description="percent of CPU to aim at")
    memory: int | None = Field(None, ge=1, le=100, description="percent of memory to aim at")
    requests: int | None = Field(None, ge=1, description="requests a minute and task to aim at")

    @model_validator(mode="after")
    def _in_order(self) -> Autoscaling:
        if self.min > self.max:
            raise ValueError(f"autoscaling.min ({self.min}) must not exceed autoscaling.max ({self.max})")
        return self


class Sidecar(Part):
    """A container beside the application's."""

    image: str
    port: int | None = Field(None, ge=1, le=65535)
    environment: dict[str, str] = {}
    essential: bool = True


class Permission(Part):
    """What the application may do in AWS: nothing but this."""

    actions: list[Annotated[str, Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9]+$")]] = Field(min_length=1)
    resources: list[str] = Field(min_length=1)


class Service(Part):
    """The application as it runs."""

    container: Name | None = Field(
        None,
        description="name of its container, which imagedefinitions.json names; the app's name when left out",
    )
    port: int = Field(80, ge=1, le=65535, description="port that the application listens on")
    health: str = Field("/", pattern=r"^/", description="path that answers 200 when the application is well")
    cpu: Literal[256, 512, 1024, 2048, 4096, 8192, 16384] = Field(
        256, description="CPU units; 1024 are one vCPU"
    )
    memory: int = Field(512, description="MiB; Fargate offers certain amounts for each cpu")
    count: int = Field(2, ge=1, le=1000, description="tasks, when there is no autoscaling")
    autoscaling: Autoscaling | None = Field(None, description="let the number of tasks follow the load")
    command: list[str] | None = Field(None, description="command in place of the image's")
    environment: dict[str, str] = Field({}, description="variables of the application")
    secrets: dict[str, str] = Field(
        {}, description="variables from Secrets Manager or Parameter Store, by ARN"
    )
    sidecars: dict[Name, Sidecar] = Field({}, description="containers beside the application's")
    permissions: list[Permission] = Field([], description="what the application may do in AWS")
    stop_timeout: int = Field(
        30, alias="stop-timeout", ge=2, le=120, description="seconds from SIGTERM to SIGKILL"
    )

    @model_validator(mode="after")
    def _fits_fargate(self) -> Service:
        offered = FARGATE_MEMORY[self.cpu]
        if self.memory not in offered:
            nearest = min(offered, key=lambda each: abs(each - self.memory))
            raise ValueError(
                f"service.memory {self.memory} is not offered for cpu {self.cpu}: "
                f"it may be {offered[0]} to {offered[-1]} (nearest: {nearest})"
            )
        return self


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
        pattern=r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$",
        description="an existing VPC; one is made when left out",
    )
    public_subnets: list[Subnet] = Field([], alias="public-subnets", description="of the existing VPC")
    private_subnets: list[Subnet] = Field([], alias="private-subnets", description="of the existing VPC")
    cidr: str = Field("10.0.0.0/16", pattern=r"^\d+\.\d+\.\d+\.\d+/16$", description="addresses of a new VPC")
    egress: Literal["nat", "nat-per-zone", "endpoints"] = Field(
        "nat",
        description="how private subnets reach AWS: one NAT gateway, one for each zone, or VPC endpoints",
    )
    private_builds: bool = Field(
        False, alias="private-builds", description="run builds in the private subnets"
    )
    certificate: str | None = Field(
        None, pattern=r"^arn:aws[a-z-]*:acm:", description="ACM certificate: serve HTTPS"
    )

    @model_validator(mode="after")
    def _whole(self) -> Network:
        if self.vpc and (len(self.public_subnets) < 2 or len(self.private_subnets) < 2):
            raise ValueError(
                "network.vpc needs two network.public-subnets and two network.private-subnets at least"
            )
        if not self.vpc and (self.public_subnets or self.private_subnets):
            raise ValueError(
                "network.public-subnets and network.private-subnets belong to an existing network.vpc"
            )
        return self


class Cost(Part):
    """What may be spent less."""

    spot: int = Field(0, ge=0, le=100, description="percent of tasks on Fargate Spot")
    log_days: Days = Field(30, alias="log-days", description="days that logs are kept")
    artifact_days: int = Field(
        30, alias="artifact-days", ge=1, le=3650, description="days that artifacts are kept"
    )


class Notify(Part):
    """Who hears of failures and approvals."""

    email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$", description="an address")


class Override(Part):
    """What homeport.yml cannot say, said in CloudFormation."""

    template: str | None = Field(None, description="path of a template to deploy instead")
    resources: dict[str, dict[str, object]] = Field({}, description="resources to add, by logical id")
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
            raise ValueError("environments needs one environment at least, or must be left out")
        return value
