"""The containers of a build's own Docker get the proxies and certificates that this machine needs, and keep their
own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homeport.engine.services.codebuild import inner_runtime


def test_a_container_gets_what_it_does_not_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "inner"
    given.write_text(
        "HTTPS_PROXY=http://proxy:3128\nPIP_CERT=/codebuild/readonly/ca-bundle.pem\nNO_PROXY=localhost\n"
    )
    monkeypatch.setattr(inner_runtime, "_GIVEN", given)
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"process": {"env": ["PATH=/bin", "NO_PROXY=mine"]}, "mounts": [{"destination": "/dev"}]})
    )

    inner_runtime._add(config)

    made = json.loads(config.read_text())
    assert made["process"]["env"] == [
        "PATH=/bin",
        "NO_PROXY=mine",
        "HTTPS_PROXY=http://proxy:3128",
        "PIP_CERT=/dev/homeport-ca.pem",
    ]
    assert [mount["destination"] for mount in made["mounts"]] == ["/dev", "/dev/homeport-ca.pem"]
    assert made["mounts"][1]["source"] == "/codebuild/readonly/ca-bundle.pem"
