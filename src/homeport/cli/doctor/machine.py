"""Troubles of this machine: no engine, no Docker, a full disk, a wrong clock. For the local target."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.target import CannotReach, Target, TargetName

ENOUGH_BYTES = 2 * 2**30
MAX_SKEW = 60.0


def check(target: Target, stack: str | None) -> Iterator[Diagnosis]:
    """Look at the machine, then at the clocks."""
    if target.name is TargetName.local:
        yield from _docker()
        yield from _engine(target)
        yield from _disk(target)
    yield from _clock(target)


def _docker() -> Iterator[Diagnosis]:
    if shutil.which("docker") is None:
        yield Diagnosis(
            "Docker", "it is not installed", "there is no `docker` on the PATH", "apt-get install docker.io"
        )
        return
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=30)
    if done.returncode:
        evidence = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "docker info fails"
        mend = "sudo systemctl start docker"
        if "permission denied" in evidence:
            mend = "sudo usermod -aG docker $USER, and log in again"
        yield Diagnosis("Docker", "no engine answers, so nothing can be built or run", evidence, mend)


def _engine(target: Target) -> Iterator[Diagnosis]:
    if os.environ.get("AWS_ENDPOINT_URL"):
        return  # whoever set it knows where the engine is; the other checks tell whether it answers
    try:
        facts = target.facts
    except CannotReach as error:
        yield Diagnosis("homeport engine", "it does not run", str(error), "homeport engine start --detach")
        return
    if facts["auth"] == "permissive":
        yield Diagnosis(
            "homeport engine",
            "IAM is not enforced for unknown keys, so missing permissions show up on AWS only",
            "auth is permissive",
            "homeport engine stop && homeport engine start --detach --auth enforce",
        )


def _disk(target: Target) -> Iterator[Diagnosis]:
    for folder in {Path("/var/lib/docker"), Path.home()}:
        if folder.exists() and (free := shutil.disk_usage(folder).free) < ENOUGH_BYTES:
            yield Diagnosis(
                f"disk of {folder}",
                "builds and pulls fail soon for lack of space",
                f"{free / 2**20:.0f} MiB are free",
                "docker system prune, or a lifecycle rule that keeps fewer images",
            )


def _clock(target: Target) -> Iterator[Diagnosis]:
    answer = target.client("sts").get_caller_identity()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return
    skew = abs(parsedate_to_datetime(date).timestamp() - time.time())
    if skew > MAX_SKEW:
        yield Diagnosis(
            "clock",
            "requests are refused when the clocks are more than five minutes apart",
            f"this machine and {target.name} are {skew:.0f} s apart",
            "sudo timedatectl set-ntp true",
        )
