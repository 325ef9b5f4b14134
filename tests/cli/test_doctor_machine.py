"""Troubles of the machine itself, each made real: doctor runs in a process whose world is broken."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from homeport.cli.doctor.command import _folded
from homeport.pytest_plugin import RunningEngine

_AHEAD = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <sys/time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, now);
    if (id == CLOCK_REALTIME) now->tv_sec += 3600;
    return done;
}
time_t time(time_t *now) {
    struct timespec seen;
    clock_gettime(CLOCK_REALTIME, &seen);
    if (now) *now = seen.tv_sec;
    return seen.tv_sec;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec seen;
    clock_gettime(CLOCK_REALTIME, &seen);
    now->tv_sec = seen.tv_sec;
    now->tv_usec = seen.tv_nsec / 1000;
    return 0;
}
"""
"""A clock that is an hour ahead, for one process."""


PROGRAM = [sys.executable, "-c", "from homeport.cli.main import main; main()"]


def doctor(data: Path, wrapped: Sequence[str] = (), **environment: str) -> dict[str, dict[str, Any]]:
    """What doctor finds, by subject."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [*wrapped, *PROGRAM, "doctor", "--data", str(data), "--output", "json"],
        env=kept | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    return {each["subject"]: each for each in json.loads(done.stdout)["troubles"]}


def without(folder: Path, *programs: str) -> str:
    """A PATH on which these programs are not."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for file in Path(place).glob("*"):
            if file.name not in programs and not (folder / file.name).exists():
                (folder / file.name).symlink_to(file)
    return str(folder)


def test_docker_that_is_not_installed(tmp_path: Path) -> None:
    found = doctor(tmp_path, PATH=without(tmp_path / "bin", "docker"))

    assert found["Docker"]["trouble"] == "it is not installed"
    assert "apt-get install docker.io" in found["Docker"]["mend"]


def test_docker_that_does_not_run(tmp_path: Path) -> None:
    found = doctor(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/docker.sock")

    assert "no engine answers" in found["Docker"]["trouble"]
    assert f"{tmp_path}/docker.sock" in found["Docker"]["evidence"]
    assert "DOCKER_HOST" in found["Docker"]["mend"]


def test_an_engine_that_was_killed_and_whose_port_is_taken(own_engine: RunningEngine) -> None:
    own_engine.start()
    own_engine.kill()
    with socket.create_server(("127.0.0.1", own_engine.port)):
        found = doctor(own_engine.data)

    assert "ended without a word" in found["homeport engine"]["evidence"]
    taken = found[f"port {own_engine.port}"]
    assert f"pid {os.getpid()}" in taken["evidence"]
    assert f"--port {own_engine.port + 1}" in taken["mend"]


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--mount"]
    mount = [*alone, "sh", "-ec", f'mount -t tmpfs -o size=1m none {tmp_path}; exec "$@"', "sh"]
    if subprocess.run([*mount, "true"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")

    found = doctor(tmp_path, mount)

    assert "1 MiB are free" in found[f"disk of {tmp_path}"]["evidence"]
    assert "docker image prune" in found[f"disk of {tmp_path}"]["mend"]


def test_a_build_image_that_can_neither_be_had_nor_made(tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\ntest "$1" = image && exit 1\nexec {shutil.which("docker")} "$@"\n')
    program.chmod(0o755)
    path = without(tmp_path / "bin", "mmdebstrap", "debootstrap")

    found = doctor(tmp_path, PATH=f"{tmp_path}:{path}")

    assert "apt-get install mmdebstrap" in found["build image"]["mend"]


def test_a_clock_that_is_wrong(engine: RunningEngine, tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    (tmp_path / "ahead.c").write_text(_AHEAD)
    library = tmp_path / "ahead.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, tmp_path / "ahead.c", "-ldl"], check=True)

    found = doctor(engine.data, LD_PRELOAD=str(library))

    assert re.search(r"(3[56]\d\d) s ahead of local", found["clock"]["evidence"])
    assert "set-ntp true" in found["clock"]["mend"]


def test_what_hangs_on_the_engine_is_told_once_where_none_runs(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    words = [*PROGRAM, "doctor", "--data", str(tmp_path)]
    done = subprocess.run(words, env=kept, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stdout.count("could not look") == 1
    areas = "pushes, webhooks, connections; permissions; builds; load balancers; services and their tasks"
    assert f"? {areas}: could not look" in done.stdout
    assert "homeport engine: it does not run" in done.stdout


def test_evidence_is_folded_to_the_width_of_a_terminal_and_a_command_stays_whole() -> None:
    command = f"aws elbv2 modify-target-group --target-group-arn {'x' * 60}"

    assert _folded("one two three four five six seven", 20) == ["one two three four", "five six seven"]
    assert _folded(f"Mend it:  {command}", 40) == ["Mend it:", f"  {command}"]
    assert _folded(command, 40) == [command]
