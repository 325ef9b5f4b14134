"""Clients that write objects while the engine is killed, and what the engine must hold afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import threading
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from homeport.pytest_plugin import RunningEngine

BUCKET = "things"
CLIENTS = 3
KEYS = 40
PART = 5 * 1024 * 1024
_SIZES = (0, 1, 1000, 100_000, 300_000)


class Uploads:
    """Each client puts, replaces and deletes objects under keys of its own, some in parts."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine
        self._may_be: dict[str, set[str | None]] = {}
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._refused: list[str] = []
        self.acknowledged = 0
        self.cut_off = 0
        engine.client("s3").create_bucket(Bucket=BUCKET)

    def begin(self) -> None:
        """Let the clients write until the engine dies or `end` is called."""
        self._over.clear()
        self._threads = [
            threading.Thread(target=self._write, args=(f"client{number}",)) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait for the clients."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def check(self, how: str) -> None:
        """Raise AssertionError unless each object is what was acknowledged last, or what was written when the engine
        died; and no bytes without an owner are there."""
        assert not self._refused, f"{how}: {self._refused}"
        s3 = self._engine.client("s3")
        for key, allowed in self._may_be.items():
            try:
                found = _digest(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
            except s3.exceptions.NoSuchKey:
                found = None
            assert found in allowed, f"{how}: {key} is {found}, not one of {allowed}"
            self._may_be[key] = {found}
        for one in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=BUCKET, Key=one["Key"], UploadId=one["UploadId"])
        self._check_bytes(how)

    def _check_bytes(self, how: str) -> None:
        folder = self._engine.data / "blobs"
        rows = sqlite3.connect(f"file:{self._engine.data / 'homeport.db'}?mode=ro", uri=True)
        held = {row[0] for row in rows.execute("SELECT blob FROM s3_references")}
        small = {row[0] for row in rows.execute("SELECT blob FROM s3_small")}
        counts = {name: rows.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _TABLES}
        rows.close()
        files = {f"sha256:{file.name}" for file in folder.glob("sha256/??/*")}
        assert not list((folder / "tmp").iterdir()), f"{how}: temporary files are left"
        assert counts["s3_uploads"] == counts["s3_parts"] == 0, f"{how}: {counts}"
        assert small <= held and files <= held, f"{how}: {len((small | files) - held)} blobs without an owner"
        assert held <= small | files, f"{how}: {len(held - small - files)} blobs are missing"

    def _write(self, client: str) -> None:
        config = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)
        s3 = self._engine.client("s3", config=config)
        while not self._over.wait(0.005):
            key = f"{client}/{random.randrange(KEYS)}"
            kind = random.choices(("put", "parts", "delete"), (30, 1, 4))[0]
            body = os.urandom(random.choice(_SIZES)) if kind != "delete" else None
            body = os.urandom(PART) + body if kind == "parts" and body is not None else body
            after = _digest(body) if body is not None else None
            allowed = self._may_be.setdefault(key, {None})
            allowed.add(after)
            try:
                if body is None:
                    s3.delete_object(Bucket=BUCKET, Key=key)
                elif kind == "put":
                    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
                else:
                    _in_parts(s3, key, body)
            except BotoCoreError:
                self.cut_off += 1
                return
            except ClientError as error:
                self._refused.append(f"{kind} of {key}: {error}")
                return
            self._may_be[key] = {after}
            self.acknowledged += 1


_TABLES = ("s3_uploads", "s3_parts")


def _in_parts(s3: Any, key: str, body: bytes) -> None:
    id = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    parts = []
    for number, part in enumerate(filter(None, (body[:PART], body[PART:])), 1):
        answer = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=id, PartNumber=number, Body=part)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=id, MultipartUpload={"Parts": parts})


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
