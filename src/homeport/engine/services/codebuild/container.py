"""The container of a build: how it is made, what it is given, how it is found again.

/codebuild/readonly            the agent, its plan, certificates
/codebuild/output/src<n>/src   the sources
/codebuild/output/tmp          the agent's own files: variables, working directory, exported variables
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.containers.runtime import Runtime
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.services.engine import ContainerAccess, Engine
from homeport.engine.services.trust import ca_bundle

TMP = "/codebuild/output/tmp"
READONLY = "/codebuild/readonly"
_BUNDLE = f"{READONLY}/ca-bundle.pem"
_BUNDLE_VARIABLES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"),
    "NODE_EXTRA_CA_CERTS",
)
_GIB = 1024**3
_COMPUTE = {
    "BUILD_GENERAL1_SMALL": (2, 3),
    "BUILD_GENERAL1_MEDIUM": (4, 7),
    "BUILD_GENERAL1_LARGE": (8, 15),
    "BUILD_GENERAL1_XLARGE": (36, 70),
    "BUILD_GENERAL1_2XLARGE": (72, 145),
    "BUILD_LAMBDA_1GB": (1, 1),
    "BUILD_LAMBDA_2GB": (2, 2),
    "BUILD_LAMBDA_4GB": (3, 4),
    "BUILD_LAMBDA_8GB": (5, 8),
    "BUILD_LAMBDA_10GB": (6, 10),
}
"""vCPUs and GiB of memory.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html"""


class Privileges:
    """Whether this Docker may run privileged containers. Where it may not, what a Docker daemon needs is given one
    by one; found out by the first build that wants it."""

    def __init__(self, engine: Engine) -> None:
        self.refused = False


@dataclass(frozen=True, slots=True)
class Setup:
    """What a build's container is made from. `files` are texts by their path; `folders` are local folders by the
    path that they get."""

    image: str
    files: Mapping[str, str]
    folders: Mapping[str, Path]
    environment: Mapping[str, str]
    volumes: tuple[str, ...] = ()


def name(docker: Runtime, id: str) -> str:
    """The container's name."""
    return docker.name("build", id.partition(":")[2])


def session(id: str) -> str:
    """The session in which the build acts as its role."""
    return f"AWSCodeBuild-{id.partition(':')[2]}"


def source_folder(id: str) -> str:
    """The folder of the sources; AWS numbers it by chance."""
    number = int(hashlib.sha256(id.encode()).hexdigest()[:8], 16)
    return f"/codebuild/output/src{number}/src"


async def create(ctx: Context, build: Row, setup: Setup) -> None:
    """Make the container, not started yet. One that a killed engine left half made is made anew."""
    docker = ctx.engine.docker
    own = name(docker, build["id"])
    await docker.remove(own)
    access = await ctx.engine.container_access()
    config = _config(ctx, build, setup, access)
    await docker.ensure(own, config, {"homeport.service": "codebuild", "homeport.build": build["id"]})
    archive = Workspace(ctx, build["id"]).container()
    await asyncio.to_thread(_write, archive, ctx, setup, access)
    try:
        with archive.open("rb") as file:
            await docker.copy_in(own, "/", file)
    finally:
        archive.unlink()


async def start(ctx: Context, build: Row, setup: Setup) -> None:
    """Start the container unless it was started already."""
    docker = ctx.engine.docker
    own = name(docker, build["id"])
    found = await docker.inspect(own)
    if found is not None and found["State"]["Status"] != "created":
        return
    try:
        await docker.start(own)
    except DockerRefused as error:
        # another build may have found out meanwhile: what counts is how this container was made
        if not (found and found["HostConfig"].get("Privileged")):
            raise
        if "not permitted" not in error.message and "denied" not in error.message:
            raise
        ctx.engine.part(Privileges).refused = True
        await create(ctx, build, setup)
        await docker.start(own)


def _config(ctx: Context, build: Row, setup: Setup, access: ContainerAccess) -> dict[str, Any]:
    cpus, memory = _COMPUTE.get(build["environment"]["computeType"], _COMPUTE["BUILD_GENERAL1_SMALL"])
    host: dict[str, Any] = {
        "NetworkMode": access.network,
        "ExtraHosts": [f"{host}:{access.gateway}" for host in _hosts(ctx)],
        "NanoCpus": min(cpus, os.cpu_count() or cpus) * 10**9,
        "Memory": memory * _GIB,
        "Init": True,
        "Binds": list(setup.volumes),
    }
    config: dict[str, Any] = {
        "Image": setup.image,
        "Entrypoint": ["/bin/sh", f"{READONLY}/agent.sh"],
        "Cmd": [],
        "User": "0:0",
        "WorkingDir": "/",
        "Hostname": "codebuild",
        "Env": [f"{key}={value}" for key, value in setup.environment.items()],
        "HostConfig": host,
    }
    if build["environment"]["privilegedMode"]:
        if not any(":/var/lib/docker" in volume for volume in setup.volumes):
            config["Volumes"] = {"/var/lib/docker": {}}
        _privilege(host, refused=ctx.engine.part(Privileges).refused)
    return config


def _privilege(host: dict[str, Any], refused: bool) -> None:
    """Let the container run a Docker daemon of its own."""
    host["Binds"].append("/sys/fs/cgroup:/sys/fs/cgroup")
    host["CgroupnsMode"] = "host"
    if not refused:
        host["Privileged"] = True
        return
    host |= {
        "CapAdd": ["ALL"],
        "CapDrop": ["SYS_RESOURCE"],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
    }


def registries(ctx: Context) -> list[str]:
    """The names of the engine's registry that a build's account has in its region."""
    names = {f"{ctx.account}.dkr.ecr.{region}.amazonaws.com" for region in (ctx.region, ctx.engine.region)}
    return sorted(names)


def _hosts(ctx: Context) -> list[str]:
    """Names that lead to the engine."""
    return [*registries(ctx), f"git-codecommit.{ctx.region}.amazonaws.com", MIRROR_HOST, PUBLIC_HOST]


MIRROR_HOST = "mirror.homeport.internal"
PUBLIC_HOST = "public.ecr.aws"


def base_environment(ctx: Context, access: ContainerAccess, credentials: str) -> dict[str, str]:
    """What every process of the container sees: the way to the engine, the role, the host's proxies and
    certificates."""
    local = ["169.254.170.2", access.gateway, "localhost", "127.0.0.1", *_hosts(ctx)]
    proxies = dict(ctx.engine.config.proxies)
    if proxies:
        for key in ("NO_PROXY", "no_proxy"):
            proxies[key] = ",".join([part for part in (proxies.get(key), *local) if part])
    return {
        **proxies,
        **dict.fromkeys(_BUNDLE_VARIABLES, _BUNDLE),
        **access.variables,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{access.metadata_url}/v2/credentials/{credentials}",
    }


def inner_environment(ctx: Context, environment: Mapping[str, str]) -> dict[str, str]:
    """What the containers of the build's own Docker see of this environment: the proxies and certificates that this
    machine needs; nothing on a machine that needs none."""
    config = ctx.engine.config
    if not config.proxies and config.ca_bundle is None:
        return {}
    proxies = {name for name in environment if name.lower().endswith("_proxy")}
    return {name: environment[name] for name in (*sorted(proxies), *_BUNDLE_VARIABLES)}


def _write(archive: Path, ctx: Context, setup: Setup, access: ContainerAccess) -> None:
    """Write all files for the container, as one tar archive."""
    with tarfile.open(archive, "w") as tar:
        for path in ("codebuild", "codebuild/readonly", "codebuild/output", TMP[1:]):
            _add_folder(tar, path, 0o777 if path == TMP[1:] else 0o755)
        for path, text in setup.files.items():
            _add_file(tar, path[1:], text.encode(), 0o644)
        _add_file(tar, _BUNDLE[1:], ca_bundle(ctx.engine), 0o644)
        for registry in registries(ctx):
            _add_file(tar, f"etc/docker/certs.d/{registry}/ca.crt", access.ca.read_bytes(), 0o644)
        for path, source in setup.folders.items():
            if path != "/":
                _add_folder(tar, path[1:], 0o755)
            for child in sorted(source.iterdir()):
                tar.add(child, f"{path}/{child.name}".lstrip("/"), filter=_as_root)


def _add_folder(tar: tarfile.TarFile, path: str, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.type, member.mode = tarfile.DIRTYPE, mode
    tar.addfile(member)


def _add_file(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
