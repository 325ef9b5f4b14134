"""Objects survive kill -9: what was acknowledged is there, what was not leaves nothing behind."""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from homeport.pytest_plugin import RunningEngine

PART = 5 * 1024 * 1024


def blobs(engine: RunningEngine) -> int:
    folder = engine.data / "blobs"
    assert not list((folder / "tmp").iterdir())
    return len(list((folder / "sha256").glob("??/*")))


def upload(engine: RunningEngine, stop: threading.Event, acknowledged: dict[str, bytes], name: str) -> None:
    """Put objects, some in parts, until told to stop; note those that the engine has acknowledged."""
    s3 = engine.client("s3")
    for number in range(1_000_000):
        if stop.is_set():
            return
        key, body = f"{name}/{number}", os.urandom(random.choice((1, 1000, 300_000)))
        try:
            if number % 10 == 5:
                body = os.urandom(PART) + body
                in_parts(s3, key, body)
            else:
                s3.put_object(Bucket="things", Key=key, Body=body)
        except (BotoCoreError, ClientError):
            return
        acknowledged[key] = body


def in_parts(s3: Any, key: str, body: bytes) -> None:
    id = s3.create_multipart_upload(Bucket="things", Key=key)["UploadId"]
    parts = []
    for number, part in enumerate((body[:PART], body[PART:]), 1):
        answer = s3.upload_part(Bucket="things", Key=key, UploadId=id, PartNumber=number, Body=part)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(Bucket="things", Key=key, UploadId=id, MultipartUpload={"Parts": parts})


@pytest.mark.slow
def test_acknowledged_objects_survive_kills_at_random_moments(own_engine: RunningEngine) -> None:
    own_engine.start()
    own_engine.client("s3").create_bucket(Bucket="things")
    acknowledged: dict[str, bytes] = {}
    for round in range(3):
        stop = threading.Event()
        threads = [
            threading.Thread(target=upload, args=(own_engine, stop, acknowledged, f"{round}-{number}"))
            for number in range(3)
        ]
        for thread in threads:
            thread.start()
        before, deadline = len(acknowledged), time.monotonic() + 20
        while len(acknowledged) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.uniform(0.0, 1.0))
        own_engine.kill()
        stop.set()
        for thread in threads:
            thread.join()
        own_engine.start()
    s3 = own_engine.client("s3")
    assert acknowledged
    for key, body in acknowledged.items():
        assert s3.get_object(Bucket="things", Key=key)["Body"].read() == body, key
    for one in s3.list_multipart_uploads(Bucket="things").get("Uploads", []):
        s3.abort_multipart_upload(Bucket="things", Key=one["Key"], UploadId=one["UploadId"])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="things")
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    for first in range(0, len(keys), 1000):
        chunk = [{"Key": key} for key in keys[first : first + 1000]]
        s3.delete_objects(Bucket="things", Delete={"Objects": chunk})
    assert blobs(own_engine) == 0


def test_a_stored_but_unrecorded_body_is_swept(own_engine: RunningEngine) -> None:
    for point in ("s3.put-object.stored", "s3.upload-part.stored"):
        own_engine.start(HOMEPORT_FAIL_AT=point)
        s3 = own_engine.client("s3")
        s3.create_bucket(Bucket="things")
        try:
            if point.startswith("s3.put"):
                s3.put_object(Bucket="things", Key="k", Body=b"never acknowledged" * 10_000)
            else:
                in_parts(s3, "k", b"x" * PART + b"y")
        except (BotoCoreError, ClientError):
            own_engine.wait_dead()
        own_engine.start()
        assert own_engine.client("s3").list_objects_v2(Bucket="things")["KeyCount"] == 0
        assert blobs(own_engine) == 0
        own_engine.stop()
