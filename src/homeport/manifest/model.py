"""homeport.yml as a validated model. Every key has a default but `app`; its description is its documentation."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from homeport.manifest.cost import Cost
from homeport.manifest.part import Part, Permission
from homeport.manifest.patterns import (
    BRANCH,
    CERTIFICATE,
    CONNECTION,
    EMAIL,
    VPC,
    Name,
    Path,
    Secrets,
    Subnet,
    Variables,
)
from homeport.manifest.service import Service


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


class Deploy(Part):
    """How a new version takes over."""

    strategy: Literal["rolling", "blue-green", "canary", "linear"] = Field(
        "rolling", description="how traffic moves"
    )
    before: list[str] | None = Field(
        None,
        min_length=1,
        description="command that one task of the new version runs before it is deployed, such as a migration of the "
        "database; when it fails, the version goes no further",
    )
    breaker: bool = Field(True, description="take a version back that does not become healthy")
    alarms: bool = Field(True, description="take a version back whose answers are 5xx")
    percent: float = Field(10.0, ge=0.1, le=100, description="traffic of a canary, or of each linear step")
    wait: int = Field(5, ge=0, le=1440, description="minutes of a canary, or between linear steps")
    bake: int = Field(5, ge=0, le=1440, description="minutes that the old version stands by afterwards")

    @field_validator("percent")
    @classmethod
    def _in_tenths(cls, value: float) -> float:
        if abs(value * 10 - round(value * 10)) > 1e-6:
            raise ValueError(f"found {value}; it should be a multiple of 0.1, such as {round(value, 1)}")
        return value


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
