"""Blobs come in whole, in chunks, or from another repository; only verified ones stay."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.ecr.oci import Registry, digest_of, error_of

DATA = random.Random(1).randbytes(3_000_000)
DIGEST = digest_of(DATA)


def begin(registry: Registry, repository: str = "app") -> str:
    answer = registry.call("POST", f"/v2/{repository}/blobs/uploads/")
    assert answer.status == 202
    return answer.headers["location"]


def stored(engine: Any) -> list[Path]:
    return list((engine.data / "ecr" / "sha256").glob("*/*"))


def test_a_blob_in_chunks(registry: Registry) -> None:
    upload = begin(registry)
    half = len(DATA) // 2
    first = registry.call("PATCH", upload, DATA[:half], content_range=f"0-{half - 1}")
    assert (first.status, first.headers["range"]) == (202, f"0-{half - 1}")
    registry.call("PATCH", upload, DATA[half:], content_range=f"{half}-{len(DATA) - 1}")
    assert registry.call("PUT", f"{upload}?digest={DIGEST}").status == 201
    got = registry.call("GET", f"/v2/app/blobs/{DIGEST}")
    assert got.data == DATA and got.headers["docker-content-digest"] == DIGEST


def test_an_upload_goes_on_after_the_engine_was_killed(engine: Any, registry: Registry) -> None:
    upload = begin(registry)
    registry.call("PATCH", upload, DATA[:1_000_000])
    engine.restart()
    progress = registry.call("GET", upload)
    assert (progress.status, progress.headers["range"]) == (204, "0-999999")
    assert registry.call("PUT", f"{upload}?digest={DIGEST}", DATA[1_000_000:]).status == 201
    assert registry.call("GET", f"/v2/app/blobs/{DIGEST}").data == DATA


def test_a_chunk_out_of_order_is_refused_and_tells_how_far_it_came(registry: Registry) -> None:
    upload = begin(registry)
    registry.call("PATCH", upload, DATA[:100], content_range="0-99")
    refused = registry.call("PATCH", upload, DATA[200:300], content_range="200-299")
    assert (refused.status, refused.headers["range"]) == (416, "0-99")
    assert error_of(refused) == "BLOB_UPLOAD_INVALID"


@pytest.mark.parametrize("digest", [digest_of(b"other"), "sha256:beef", "md5:" + "0" * 32, ""])
def test_a_wrong_digest_stores_nothing(engine: Any, registry: Registry, digest: str) -> None:
    refused = registry.call("PUT", f"{begin(registry)}?digest={digest}", DATA)
    assert (refused.status, error_of(refused)) == (400, "DIGEST_INVALID")
    assert stored(engine) == []


def test_a_body_that_breaks_off_is_no_blob(engine: Any, registry: Registry) -> None:
    upload = begin(registry)
    address = urlsplit(engine.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        authorization = registry._headers["authorization"]
        head = f"PUT {upload}?digest={DIGEST} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n"
        connection.sendall(f"{head}content-length: {len(DATA)}\r\n\r\n".encode() + DATA[:500_000])
    assert registry.call("HEAD", f"/v2/app/blobs/{DIGEST}").status == 404
    assert stored(engine) == []


def test_a_mounted_blob_needs_no_upload(engine: Any, registry: Registry) -> None:
    registry.push_blob("app", DATA)
    mounted = registry.call("POST", f"/v2/other/blobs/uploads/?mount={DIGEST}&from=app")
    assert mounted.status == 201
    assert registry.call("GET", f"/v2/other/blobs/{DIGEST}").data == DATA
    assert len(stored(engine)) == 1


def test_a_mount_of_what_is_not_there_begins_an_upload(registry: Registry) -> None:
    answer = registry.call("POST", f"/v2/other/blobs/uploads/?mount={DIGEST}&from=app")
    assert answer.status == 202


def test_a_cancelled_upload_is_gone(registry: Registry) -> None:
    upload = begin(registry)
    assert registry.call("DELETE", upload).status == 204
    assert error_of(registry.call("PATCH", upload, b"x")) == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-9", 206, DATA[:10]),
        ("bytes=2999990-", 206, DATA[-10:]),
        ("bytes=-5", 206, DATA[-5:]),
        ("bytes=5-99999999", 206, DATA[5:]),
        ("lines=1-2", 200, DATA),
    ],
    ids=["first", "rest", "last", "beyond", "unknown-unit"],
)
def test_ranges(registry: Registry, asked: str, status: int, expected: bytes) -> None:
    registry.push_blob("app", DATA)
    got = registry.call("GET", f"/v2/app/blobs/{DIGEST}", range=asked)
    assert (got.status, got.data) == (status, expected)


def test_a_range_beyond_the_end_is_refused(registry: Registry) -> None:
    registry.push_blob("app", b"abc")
    refused = registry.call("GET", f"/v2/app/blobs/{digest_of(b'abc')}", range="bytes=3-")
    assert (refused.status, refused.headers["content-range"]) == (416, "bytes */3")


@pytest.mark.parametrize(
    "name", ["%2e%2e", "app/%2e%2e/%2e%2e/etc", "%2e%2e/app", "App", "a//b", "-app", "app/", "a" * 300]
)
def test_names_that_escape_are_refused(engine: Any, registry: Registry, name: str) -> None:
    refused = registry.call("POST", f"/v2/{name}/blobs/uploads/?digest={DIGEST}", DATA)
    assert (refused.status, error_of(refused)) == (400, "NAME_INVALID")
    assert stored(engine) == []


def test_an_unknown_repository(registry: Registry) -> None:
    refused = registry.call("POST", "/v2/nosuch/blobs/uploads/")
    assert refused.status == 404
    assert refused.json()["errors"][0] == {
        "code": "NAME_UNKNOWN",
        "message": "The repository with name 'nosuch' does not exist in the registry with id '123456789012'",
    }
