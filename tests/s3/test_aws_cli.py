"""`aws s3` works unmodified."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine


@pytest.fixture
def bucket(engine: RunningEngine) -> str:
    engine.aws("s3", "mb", "s3://site")
    return "s3://site"


def test_cp_ls_rm(engine: RunningEngine, bucket: str, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(9 * 1024 * 1024))
    engine.aws("s3", "cp", str(large), f"{bucket}/a b/large.bin")
    listed = engine.aws("s3", "ls", f"{bucket}/", "--recursive", "--human-readable").stdout
    assert "9.0 MiB a b/large.bin" in listed
    engine.aws("s3", "cp", f"{bucket}/a b/large.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    engine.aws("s3", "cp", f"{bucket}/a b/large.bin", f"{bucket}/copy")
    head = engine.aws("s3api", "head-object", "--bucket", "site", "--key", "copy", "--query", "ContentLength")
    assert head.stdout.strip() == str(9 * 1024 * 1024)
    streamed = engine.aws("s3", "cp", "-", f"{bucket}/streamed", stdin="from stdin")
    assert streamed.returncode == 0
    assert engine.aws("s3", "cp", f"{bucket}/streamed", "-").stdout == "from stdin"
    engine.aws("s3", "mv", f"{bucket}/streamed", f"{bucket}/moved")
    engine.aws("s3", "rm", bucket, "--recursive")
    assert engine.aws("s3", "ls", bucket).stdout == ""
    engine.aws("s3", "rb", bucket)


def test_sync(engine: RunningEngine, bucket: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("index.html", "css/a.css", "css/ü b.css"):
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    engine.aws("s3", "sync", str(source), bucket)
    assert engine.aws("s3", "sync", str(source), bucket).stdout == ""
    (source / "css/a.css").unlink()
    (source / "index.html").write_text("changed: longer")
    done = engine.aws("s3", "sync", str(source), bucket, "--delete").stdout
    assert "delete: s3://site/css/a.css" in done and "index.html" in done and "ü b" not in done
    engine.aws("s3", "sync", bucket, str(tmp_path / "target"))
    assert (tmp_path / "target/css/ü b.css").read_text() == "css/ü b.css"
    assert (tmp_path / "target/index.html").read_text() == "changed: longer"


def test_presign_and_waiters(engine: RunningEngine, bucket: str) -> None:
    engine.aws("s3", "cp", "-", f"{bucket}/page", stdin="hello")
    engine.aws("s3api", "wait", "object-exists", "--bucket", "site", "--key", "page")
    engine.aws("s3api", "wait", "bucket-not-exists", "--bucket", "none")
    url = engine.aws("s3", "presign", f"{bucket}/page", "--expires-in", "60").stdout.strip()
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"hello"
