"""Troubles of this machine: no Docker, no engine, a taken port, a full disk, no build image, a wrong clock."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.processes import alive
from homeport.cli.target import CannotReach, Target, TargetName

ENOUGH_BYTES = 2 * 2**30
MAX_SKEW = 60.0
DEFAULT_PORT = 4566


def check(scope: Scope) -> Iterator[Diagnosis]:
    """Look at the machine, then at the clocks."""
    if scope.target.name is TargetName.local:
        docker = list(_docker())
        yield from docker
        yield from _engine(scope.target)
        yield from _disk(scope.target)
        if not docker:
            yield from _build_image()
    yield from _clock(scope.target)


def _docker() -> Iterator[Diagnosis]:
    if shutil.which("docker") is None:
        yield Diagnosis(
            "Docker",
            "it is not installed",
            f"there is no `docker` on the PATH: {os.environ.get('PATH', '')}",
            "apt-get install docker.io (Debian, Ubuntu), or https://docs.docker.com/engine/install/",
        )
        return
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=30)
    if done.returncode or "ERROR" in done.stderr:
        lines = done.stderr.strip().splitlines()
        evidence = lines[-1] if lines else "docker info fails"
        mend = "sudo systemctl start docker"
        if "permission denied" in evidence:
            mend = "sudo usermod -aG docker $USER, and log in again"
        elif host := os.environ.get("DOCKER_HOST"):
            mend = f"DOCKER_HOST is {host}: unset it, or start the Docker that it names"
        yield Diagnosis("Docker", "no engine answers, so nothing can be built or run", evidence, mend)


def _engine(target: Target) -> Iterator[Diagnosis]:
    if os.environ.get("AWS_ENDPOINT_URL"):
        return  # whoever set it knows where the engine is; the other checks tell whether it answers
    facts = target.announced
    if facts is None or not alive(facts["pid"]):
        why = f"nothing has announced itself in {target.folder}"
        if facts:
            why = f"the engine of {target.folder} (pid {facts['pid']}) ended without a word; nothing is lost"
        yield Diagnosis("homeport engine", "it does not run", why, "homeport engine start --detach")
        yield from _port(facts["port"] if facts else DEFAULT_PORT)
        return
    if facts["auth"] == "permissive":
        yield Diagnosis(
            "homeport engine",
            "IAM is not enforced for unknown keys, so missing permissions show up on AWS only",
            "auth is permissive",
            "homeport engine stop && homeport engine start --detach --auth enforce",
        )


def _port(port: int) -> Iterator[Diagnosis]:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
            return
        except OSError as error:
            evidence = f"127.0.0.1:{port}: {error.strerror}"
    if holder := _holder(port):
        evidence += f"; it is held by {holder}"
    yield Diagnosis(
        f"port {port}",
        "another program listens there, so the engine cannot",
        evidence,
        f"End that program, or take another port:  homeport engine start --detach --port {port + 1}",
    )


def _holder(port: int) -> str:
    """Which process listens on a port, as Linux tells it; empty when it cannot be seen."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        words = [row.split() for row in rows]
        inodes |= {
            each[9] for each in words if each[3] == "0A" and int(each[1].rpartition(":")[2], 16) == port
        }
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = {os.readlink(each) for each in (process / "fd").iterdir()}
            if links & {f"socket:[{inode}]" for inode in inodes}:
                command = (process / "cmdline").read_text().replace("\0", " ").strip()
                return f"pid {process.name}: {command[:120]}"
        except OSError:
            continue  # it ended, or belongs to somebody else
    return ""


def _disk(target: Target) -> Iterator[Diagnosis]:
    root = ""
    if shutil.which("docker"):
        command = ["docker", "info", "--format", "{{.DockerRootDir}}"]
        root = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    folders = {Path(root or "/var/lib/docker"), target.folder}
    for folder in sorted(folders):
        there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
        if (free := shutil.disk_usage(there).free) < ENOUGH_BYTES:
            yield Diagnosis(
                f"disk of {folder}",
                "builds and pulls fail soon for lack of space",
                f"{free / 2**20:.0f} MiB are free; an image and its layers take some hundreds",
                "docker image prune --all && docker builder prune, or put the data elsewhere: --data",
            )


def _build_image() -> Iterator[Diagnosis]:
    """Builds name AWS's own images; where no registry has them, homeport makes one from Debian's packages."""
    from homeport.engine.containers.recipes import BUILD

    listed = subprocess.run(["docker", "image", "inspect", BUILD.name], capture_output=True)
    if not listed.returncode or shutil.which("mmdebstrap") or shutil.which("debootstrap"):
        return
    yield Diagnosis(
        "build image",
        "builds have no image to run in, and it cannot be made here",
        f"docker has no {BUILD.name}, and neither mmdebstrap nor debootstrap is on the PATH",
        "apt-get install mmdebstrap, or name an image that Docker can pull: build.image in homeport.yml",
    )


def _clock(target: Target) -> Iterator[Diagnosis]:
    try:
        metadata = target.client("sts").get_caller_identity()["ResponseMetadata"]
        refused = ""
    except ClientError as error:
        metadata, refused = error.response["ResponseMetadata"], str(error)
    except (BotoCoreError, CannotReach):
        return  # it is not there at all, which the other checks say
    date = metadata["HTTPHeaders"].get("date")
    if date is None:
        return
    skew = time.time() - parsedate_to_datetime(date).timestamp()
    if abs(skew) > MAX_SKEW:
        side = "ahead of" if skew > 0 else "behind"
        yield Diagnosis(
            "clock",
            "requests are refused when the clocks are more than five minutes apart",
            f"this machine is {abs(skew):.0f} s {side} {target.name}{f'; {refused}' if refused else ''}",
            "sudo timedatectl set-ntp true (in a virtual machine also: sudo hwclock --hctosys)",
        )
