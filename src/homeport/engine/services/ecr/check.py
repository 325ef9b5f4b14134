"""Prove that a registry is consistent: `python -m homeport.engine.services.ecr.check DATA`.

Reads the rows and every byte of every layer. The engine may run meanwhile. Exit status 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Report(NamedTuple):
    """What was looked at, and what is wrong with it."""

    images: int
    layers: int
    files: int
    faults: list[str]


def check(data: Path) -> Report:
    """Look at the registry in the data folder."""
    database = sqlite3.connect(f"file:{data / 'homeport.db'}?mode=ro", uri=True)
    database.execute("BEGIN")
    rows = {name: list(_rows(database, name)) for name in ("images", "manifests", "tags", "layers")}
    database.close()
    contents = {row["content"]: row["layerSize"] for _, row in rows["layers"]}
    faults = [*_manifest_faults(rows), *_reference_faults(rows), *_file_faults(data / "ecr", contents)]
    return Report(len(rows["images"]), len(rows["layers"]), len(contents), faults)


def _rows(database: sqlite3.Connection, name: str) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """Each row with its repository: account, region, name."""
    for account, region, body in database.execute(f"SELECT account, region, body FROM ecr_{name}"):
        row = json.loads(body)
        yield (account, region, row["repositoryName"]), row


def _manifest_faults(rows: dict[str, list[Any]]) -> Iterator[str]:
    texts = {(where, row["imageDigest"]): row["text"] for where, row in rows["manifests"]}
    for where, image in rows["images"]:
        digest = image["imageDigest"]
        text = texts.pop((where, digest), None)
        if text is None:
            yield f"the image {where[2]}@{digest} has no manifest"
        elif hashlib.new(digest.partition(":")[0], text.encode()).hexdigest() != digest.partition(":")[2]:
            yield f"the manifest of {where[2]}@{digest} has another digest"
    for where, digest in texts:
        yield f"the manifest {where[2]}@{digest} belongs to no image"


def _reference_faults(rows: dict[str, list[Any]]) -> Iterator[str]:
    layers = {(where, row["layerDigest"]) for where, row in rows["layers"]}
    images = {(where, row["imageDigest"]) for where, row in rows["images"]}
    for where, image in rows["images"]:
        for digest in image["layers"]:
            if (where, digest) not in layers:
                yield f"the image {where[2]}@{image['imageDigest']} lacks the layer {digest}"
        for digest in [] if image["sparse"] else image["children"]:
            if (where, digest) not in images | layers:
                yield f"the index {where[2]}@{image['imageDigest']} lists {digest}, which is not there"
    for where, tag in rows["tags"]:
        if (where, tag["imageDigest"]) not in images:
            yield f"the tag {where[2]}:{tag['imageTag']} names {tag['imageDigest']}, which is not there"


def _file_faults(folder: Path, contents: dict[str, int]) -> Iterator[str]:
    for content, size in contents.items():
        algorithm, _, value = content.partition(":")
        file = folder / algorithm / value[:2] / value
        if not file.is_file():
            yield f"the file of the layer {content} is missing"
        elif file.stat().st_size != size:
            yield f"the file of the layer {content} has {file.stat().st_size} bytes instead of {size}"
        else:
            with file.open("rb") as opened:
                if hashlib.file_digest(opened, algorithm).hexdigest() != value:
                    yield f"the file of the layer {content} has other bytes"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ecr-check", description="Prove that a registry is consistent.")
    parser.add_argument("data", type=Path, help="the engine's data folder")
    report = check(parser.parse_args().data)
    for fault in report.faults:
        sys.stdout.write(f"{fault}\n")
    verdict = f"{len(report.faults)} faults" if report.faults else "consistent"
    counts = f"{report.images} images, {report.layers} layers, {report.files} files"
    sys.stdout.write(f"{counts}: {verdict}\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
