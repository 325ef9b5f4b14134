"""Layers live as long as an image needs them, in whichever repository."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.ecr.oci import Registry, digest_of


def test_unneeded_layers_go_and_shared_ones_stay(own_engine: Any) -> None:
    own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="2000")
    ecr = own_engine.client("ecr", aws_access_key_id="AKIAANYBODY", aws_secret_access_key="any")
    for name in ("app", "other"):
        ecr.create_repository(repositoryName=name)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    registry = Registry(own_engine.url, token)
    registry.push_image("app", "v1", b"shared", b"its own")
    registry.push_image("other", "v1", b"shared")
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])
    deadline = time.monotonic() + 10
    while exists(own_engine, b"its own"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert exists(own_engine, b"shared")
    assert registry.call("HEAD", f"/v2/app/blobs/{digest_of(b'shared')}").status == 404
    assert registry.call("GET", f"/v2/other/blobs/{digest_of(b'shared')}").data == b"shared"


def exists(engine: Any, data: bytes) -> bool:
    content = digest_of(data).removeprefix("sha256:")
    return Path(engine.data / "ecr" / "sha256" / content[:2] / content).exists()
