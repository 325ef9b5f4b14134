"""The clients that people use: what they push they pull, and what they delete is gone."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.ecr.images import layer
from tests.ecr.oci import Registry


def run(*command: str | Path, **options: Any) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")


@pytest.fixture
def credentials(registry: Registry) -> str:
    return base64.b64decode(registry._headers["authorization"].split()[1]).decode()


def test_skopeo_pushes_pulls_and_deletes(
    engine: Any, ecr: Any, registry: Registry, credentials: str, tmp_path: Path
) -> None:
    need("skopeo")
    registry.push_image(
        "app", "v1", layer({"etc/one": os.urandom(100_000)}), layer({"etc/two": b"2"}, "zstd")
    )
    host = f"docker://127.0.0.1:{engine.port}"
    source = ["--src-tls-verify=false", "--src-creds", credentials]
    target = ["--dest-tls-verify=false", "--dest-creds", credentials]
    run("skopeo", "copy", *source, f"{host}/app:v1", f"oci:{tmp_path}/copy:v1")
    run("skopeo", "copy", *target, f"oci:{tmp_path}/copy:v1", f"{host}/other:v2")
    mine = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])["images"][0]
    theirs = ecr.batch_get_image(repositoryName="other", imageIds=[{"imageTag": "v2"}])["images"][0]
    layers = [json.loads(each["imageManifest"])["layers"] for each in (mine, theirs)]
    assert [each["digest"] for each in layers[0]] == [each["digest"] for each in layers[1]]
    run("skopeo", "delete", "--tls-verify=false", "--creds", credentials, f"{host}/other:v2")
    assert ecr.list_images(repositoryName="other")["imageIds"] == []


def test_docker_pushes_and_pulls(
    engine: Any, ecr: Any, registry: Registry, credentials: str, tmp_path: Path
) -> None:
    need("docker")
    if subprocess.run(["docker", "version"], capture_output=True).returncode:
        pytest.skip("needs a Docker daemon")
    host = f"127.0.0.1:{engine.port}"
    docker = ["docker", "--config", str(tmp_path)]
    run(*docker, "login", "-u", "AWS", "--password-stdin", host, input=credentials.removeprefix("AWS:"))
    archive = tmp_path / "root.tar"
    archive.write_bytes(layer({"etc/one": os.urandom(100_000)}, "none"))
    image = f"{host}/app:pushed"
    try:
        run(*docker, "import", archive, image)
        first = run(*docker, "inspect", "--format", "{{.Id}}", image)
        run(*docker, "push", image)
        run(*docker, "rmi", image)
        digest = ecr.describe_images(repositoryName="app")["imageDetails"][0]["imageDigest"]
        run(*docker, "pull", f"{host}/app@{digest}")
        assert run(*docker, "inspect", "--format", "{{.Id}}", f"{host}/app@{digest}") == first
        run(*docker, "rmi", first.strip())
    finally:
        subprocess.run(["docker", "rmi", "-f", image], capture_output=True)


def test_podman_pushes_and_pulls(engine: Any, registry: Registry, credentials: str, tmp_path: Path) -> None:
    need("podman")
    archive = tmp_path / "root.tar"
    archive.write_bytes(layer({"etc/one": os.urandom(100_000)}, "none"))
    image = f"127.0.0.1:{engine.port}/app:podman"
    runroot = tempfile.mkdtemp()  # podman takes no more than 50 characters
    podman = ["podman", "--root", str(tmp_path / "root"), "--runroot", runroot, "--storage-driver", "vfs"]
    access = ["--tls-verify=false", "--creds", credentials]
    run(*podman, "import", archive, image)
    run(*podman, "push", *access, "--format", "oci", "--compression-format", "zstd", image)
    manifest = registry.call("GET", "/v2/app/manifests/podman").json()
    assert manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+zstd"
    run(*podman, "rmi", image)
    run(*podman, "pull", *access, image)
    run(*podman, "rmi", image)
