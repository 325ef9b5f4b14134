"""AWS's managed policies: the data set that the package carries, read one policy at a time.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zipfile import ZipFile

PREFIX = "arn:aws:iam::aws:policy/"


@cache
def policies() -> dict[str, dict[str, Any]]:
    """All of them by ARN, without their documents, in the form of IAM's Policy."""
    found: dict[str, dict[str, Any]] = {}
    for name, body in json.loads(_read("index")).items():
        path = body["Path"]
        arn = f"arn:aws:iam::aws:policy{path}{name}"
        found[arn] = {
            "PolicyName": name,
            "PolicyId": "ANPA" + _letters(name),
            "Arn": arn,
            "Path": path,
            "DefaultVersionId": body["DefaultVersionId"],
            "AttachmentCount": 0,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": _epoch(body["CreateDate"]),
            "UpdateDate": _epoch(body["UpdateDate"]),
        }
    return found


@lru_cache(maxsize=256)
def document(arn: str) -> str:
    """The document of one, as JSON text."""
    return _read(policies()[arn]["PolicyName"])


def _read(name: str) -> str:
    with (
        files(__package__).joinpath("data/managed_policies.zip").open("rb") as file,
        ZipFile(file) as archive,
    ):
        return archive.read(f"{name}.json").decode()


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _letters(name: str) -> str:
    """Seventeen letters that are the same each time: ids of AWS's policies do not change."""
    import hashlib

    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:12])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(alphabet[(number >> (5 * at)) & 31] for at in range(17))
