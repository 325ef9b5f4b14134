"""The way of a build up to its first command: a place in the queue, an image, the sources, the container."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.durable.execution import Execution
from homeport.engine.services.codebuild import (
    build_images,
    container,
    environment,
    git_helper,
    log_stream,
    phases,
    s3_cache,
    secrets,
    sources,
    transcript,
    transfer,
)
from homeport.engine.services.codebuild.buildspec import Buildspec, YamlFileError, parse
from homeport.engine.services.codebuild.cache import volumes
from homeport.engine.services.codebuild.container import READONLY, TMP, Setup
from homeport.engine.services.codebuild.plan import plan_files
from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

SLOT_TOPIC = "codebuild.slot"
_YAML = "YAML_FILE_ERROR"
_DEFAULT = "buildspec.yml"
_SHELLS = {"bash": "/bin/bash", "/bin/bash": "/bin/bash"}


async def wait_for_slot(x: Execution, build: Row) -> None:
    """Return when fewer builds than this machine can bear run, in the order of their starts. Raises TimeoutError."""
    ctx = x.ctx

    async def free() -> bool | None:
        others = [
            row
            for _, row in BUILDS.everywhere(ctx.store, buildStatus=IN_PROGRESS)
            if row["id"] != build["id"]
        ]
        running = sum(1 for row in others if row["currentPhase"] not in ("SUBMITTED", "QUEUED"))
        before = sum(
            1
            for row in others
            if row["currentPhase"] == "QUEUED"
            and (row["startTime"], row["id"]) < (build["startTime"], build["id"])
        )
        return True if running + before < _capacity() else None

    await x.until(free, [SLOT_TOPIC], 2.0, build["startTime"] + build["queuedTimeoutInMinutes"] * 60)


def _capacity() -> int:
    return max(4, 2 * (os.cpu_count() or 1))


async def provision(ctx: Context, build: Row) -> Row:
    """The log stream, and an image that is on this machine. Raises PhaseFailed."""
    await log_stream.create(ctx, build)
    notes: list[str] = []
    image = await build_images.provide(ctx, build, notes.append)
    return {"image": image, "lines": ["Running on homeport", *notes, "Waiting for DOWNLOAD_SOURCE"]}


async def prepare(ctx: Context, build: Row, image: str, nonce: str) -> Row:
    """Get the sources, read the buildspec, resolve the variables; what the container needs is in the workspace then.
    Raises PhaseFailed."""
    workspace = Workspace(ctx, build["id"])
    top = container.source_folder(build["id"])
    directories, folders, resolved = await _sources(ctx, build, workspace, top)
    lines = ["Phase is DOWNLOAD_SOURCE", f"CODEBUILD_SRC_DIR={directories['']}"]
    text, where = await _buildspec(ctx, build, folders[directories[""]], directories[""])
    lines.append(f"YAML location is {where}")
    try:
        spec = parse(text)
    except YamlFileError as error:
        raise PhaseFailed(_YAML, str(error)) from None
    lines += [f"Notice: {notice}" for notice in spec.notices]
    lines += _described(spec)
    values, hidden = await _variables(ctx, build, spec)
    primary = folders[directories[""]]
    cached, said = await s3_cache.restore(ctx, build, spec, primary, workspace)
    lines += [said] if said else []
    if cached:
        folders["/"] = cached
    shown = sources.shown_version(build["source"], resolved)
    build = build | {"resolvedSourceVersion": shown} if shown else build
    own = environment.of_build(build, directories, build["logs"].get("streamName", ""))
    access = await ctx.engine.container_access()
    credentials = ctx.engine.identity.issue_container_credentials(
        build["serviceRole"],
        f"{ctx.assumes_as or 'codebuild'}.amazonaws.com",
        container.session(build["id"]),
    )
    system = container.base_environment(ctx, access, credentials)
    helper = await git_helper.of_build(ctx, build) if spec.env.git_credential_helper else None
    if helper:
        own |= helper.variables
        hidden += helper.secrets
    planned = phases.plan(spec)
    files = plan_files(
        planned,
        nonce=nonce,
        shell=_SHELLS.get(spec.env.shell, "/bin/sh"),
        one_shell=spec.one_shell,
        exported=spec.env.exported_variables,
        names=[each.name for each in _named(spec)],
        docker=_docker_options(access.url) if build["environment"]["privilegedMode"] else None,
        inner=container.inner_environment(ctx, system),
    )
    kept = volumes(ctx, build, spec, directories[""])
    if any(volume.endswith(":/var/lib/docker") for volume in kept):
        files["plan/keep-docker"] = ""
    settings: dict[str, Any] = {
        "image": image,
        "environment": system,
        "files": {
            **{f"{READONLY}/{name}": content for name, content in files.items()},
            f"{READONLY}/buildspec.yml": text,
            **({git_helper.FILE: helper.file} if helper and helper.file else {}),
            f"{TMP}/env.sh": environment.as_shell({**own, **system, **values}),
            f"{TMP}/dir.txt": directories[""] + "\n",
        },
        "folders": {path: str(folder) for path, folder in folders.items()},
        "volumes": kept,
        "secrets": hidden,
    }
    workspace.write_setup(settings)
    return {
        "lines": lines,
        "buildspec": text,
        "directories": directories,
        "resolved": shown,
        "cacheKey": await s3_cache.expanded_key(spec, primary),
        "secret": [name for name, value in values.items() if value in hidden],
    }


async def read_buildspec(ctx: Context, row: Row, workspace: Workspace) -> tuple[str, str]:
    """The text of the buildspec of a build's or batch's primary source, and the version that it is of."""
    folder = workspace.source("")
    version = row.get("sourceVersion", "")
    resolved = await sources.fetch(ctx, row["serviceRole"], row["source"], version, folder)
    text, _ = await _buildspec(ctx, row, folder, "/codebuild/output/src")
    return text, resolved


def _named(spec: Buildspec) -> list[Any]:
    return [each for each in (spec.artifacts, *spec.secondary_artifacts.values()) if each and each.name]


async def make_container(ctx: Context, build: Row) -> None:
    """Create the container from the workspace, not started yet. Raises PhaseFailed."""
    found = await ctx.engine.docker.inspect(container.name(ctx.engine.docker, build["id"]))
    if found is None or found["State"]["Status"] == "created":
        with _told():
            await container.create(ctx, build, _setup(ctx, build))


async def start_container(ctx: Context, build: Row) -> None:
    """Start the container, once; the agent in it does the rest by itself. Raises PhaseFailed."""
    with _told():
        await container.start(ctx, build, _setup(ctx, build))


def _setup(ctx: Context, build: Row) -> Setup:
    settings = Workspace(ctx, build["id"]).setup()
    return Setup(
        image=settings["image"],
        files=settings["files"],
        folders={path: Path(folder) for path, folder in settings["folders"].items()},
        environment=settings["environment"],
        volumes=tuple(settings["volumes"]),
    )


@contextmanager
def _told() -> Iterator[None]:
    """What Docker refuses, in the words of the build."""
    try:
        yield
    except DockerRefused as error:
        raise PhaseFailed(
            "CLIENT_ERROR", f"The build's container cannot be started: {error.message}"
        ) from None


async def _sources(
    ctx: Context, build: Row, workspace: Workspace, top: str
) -> tuple[dict[str, str], dict[str, Path], str]:
    """The directories by source identifier, the local folders by directory, the version of the primary source."""
    versions = {each["sourceIdentifier"]: each["sourceVersion"] for each in build["secondarySourceVersions"]}
    directories: dict[str, str] = {}
    folders: dict[str, Path] = {}
    resolved = ""
    role = build["serviceRole"]
    for source in (build["source"], *build["secondarySources"]):
        identifier = source.get("sourceIdentifier", "") if source is not build["source"] else ""
        version = versions.get(identifier, "") if identifier else build.get("sourceVersion", "")
        folder = workspace.source(identifier)
        found = await sources.fetch(ctx, role, source, version, folder)
        resolved = resolved if identifier else found
        below = posixpath.join(posixpath.dirname(top), identifier) if identifier else top
        directories[identifier] = sources.directory(source, below)
        folders[directories[identifier]] = folder
    return directories, folders, resolved


async def _buildspec(ctx: Context, build: Row, folder: Path, directory: str) -> tuple[str, str]:
    """The buildspec's text, and where it came from. It is given in the project, lies in the sources, or in S3."""
    given = build["source"].get("buildspec", "")
    if "\n" in given or given.lstrip().startswith(("version:", "{")):
        return given, f"{READONLY}/buildspec.yml"
    if given.startswith("arn:aws:s3:::"):
        bucket, _, key = given.removeprefix("arn:aws:s3:::").partition("/")
        file = folder.with_name("buildspec.object")
        try:
            await transfer.download(ctx.client("s3", role=build["serviceRole"]), bucket, key, file)
        except AwsError as error:
            raise PhaseFailed(_YAML, f"{given}: {error.message}") from None
        return file.read_text(errors="replace"), given
    path = folder / (given or _DEFAULT)
    inside = path.resolve().is_relative_to(folder.resolve())
    if not inside or not path.is_file():
        missing = (
            f"stat {directory}/{given}: no such file or directory" if given else "YAML file does not exist"
        )
        raise PhaseFailed(_YAML, missing)
    return path.read_text(errors="replace"), f"{directory}/{given or _DEFAULT}"


def _described(spec: Buildspec) -> list[str]:
    names = [name for name, phase in spec.phases.items() if phase.commands]
    counts = [f" {name.upper()}: {len(spec.phases[name].commands)} commands" for name in names]
    return [f"Phases found in YAML: {len(names)}", *counts]


async def _variables(ctx: Context, build: Row, spec: Buildspec) -> tuple[dict[str, str], list[str]]:
    """What StartBuild gives overrules the project, which overrules the buildspec."""
    merged = environment.merge(
        environment.of_buildspec(spec.env),
        environment.of_environment(build["environment"]["environmentVariables"]),
    )
    return await secrets.resolve(ctx, build["serviceRole"], merged.values())


def _docker_options(url: str) -> list[str]:
    """What the build's own Docker daemon is started with."""
    port = url.rpartition(":")[2]
    options = [f"--registry-mirror=http://{container.MIRROR_HOST}:{port}"]
    return options + [f"--dns={server}" for server in _name_servers()]


def _name_servers() -> list[str]:
    """The host's name servers: a daemon inside a container sees Docker's own, which its containers cannot reach."""
    for file in (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")):
        if file.is_file():
            words = [line.split() for line in file.read_text().splitlines()]
            servers = [each[1] for each in words if len(each) > 1 and each[0] == "nameserver"]
            if found := [server for server in servers if not server.startswith("127.") and ":" not in server]:
                return found
    return []


def prepared(ctx: Context, id: str, output: Row) -> None:
    """Write down what `prepare` found, with its step."""
    from homeport.engine.services.codebuild import board

    if output["resolved"]:
        board.change(ctx, id, resolvedSourceVersion=output["resolved"])
    transcript.plan_commands(ctx, id, phases.plan(parse(output["buildspec"])))
    transcript.say(ctx, id, *output["lines"])
