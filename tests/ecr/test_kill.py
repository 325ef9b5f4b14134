"""A kill -9 in the middle of a push leaves a registry that is whole, and a push that can go on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import urllib3

from tests.ecr.oci import Registry, digest_of


def check(engine: Any) -> str:
    """What the check command says of the registry."""
    command = [sys.executable, "-m", "homeport.engine.services.ecr.check", str(engine.data)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def connect(engine: Any) -> Registry:
    token = engine.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return Registry(engine.url, token)


def test_kills_at_any_moment_of_pushes(own_engine: Any) -> None:
    own_engine.start()
    own_engine.client("ecr").create_repository(repositoryName="app")
    pushed: list[str] = []
    for round in range(3):
        registry = connect(own_engine)
        stop = threading.Event()
        pushers = [
            threading.Thread(target=push_until, args=(registry, f"{round}-{number}", stop, pushed))
            for number in range(3)
        ]
        for pusher in pushers:
            pusher.start()
        time.sleep(0.2 + 0.25 * round)
        own_engine.kill()
        stop.set()
        for pusher in pushers:
            pusher.join()
        assert "consistent" in check(own_engine)
        own_engine.start()
    assert pushed
    registry = connect(own_engine)
    for tag in pushed:
        assert registry.call("GET", f"/v2/app/manifests/{tag}").status == 200


def push_until(registry: Registry, name: str, stop: threading.Event, pushed: list[str]) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        try:
            registry.push_image("app", f"{name}-{number}", os.urandom(400_000), os.urandom(10))
        except urllib3.exceptions.HTTPError:
            return
        pushed.append(f"{name}-{number}")


def test_a_kill_between_file_and_row_leaves_a_file_that_is_swept(own_engine: Any) -> None:
    own_engine.start(HOMEPORT_FAIL_AT="ecr.layer-adopted")
    own_engine.client("ecr").create_repository(repositoryName="app")
    registry = connect(own_engine)
    data = os.urandom(1000)
    upload = registry.call("POST", "/v2/app/blobs/uploads/").headers["location"]
    try:
        registry.call("PUT", f"{upload}?digest={digest_of(data)}", data)
    except urllib3.exceptions.HTTPError:
        own_engine.wait_dead()
    assert len(files(own_engine)) == 1
    assert "consistent" in check(own_engine)
    own_engine.start(HOMEPORT_FAIL_AT="")
    deadline = time.monotonic() + 5
    while files(own_engine):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert registry.push_blob("app", data)["digest"] == digest_of(data)


def test_the_check_finds_what_is_wrong(engine: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"a layer")
    content = digest_of(b"a layer").removeprefix("sha256:")
    (engine.data / "ecr" / "sha256" / content[:2] / content).write_bytes(b"a lAyer")
    command = [sys.executable, "-m", "homeport.engine.services.ecr.check", str(engine.data)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"the file of the layer sha256:{content} has other bytes" in done.stdout


def files(engine: Any) -> list[Path]:
    return list((engine.data / "ecr" / "sha256").glob("*/*"))
