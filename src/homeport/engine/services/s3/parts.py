"""The parts of unfinished uploads: rows that hold blobs."""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3 import references
from homeport.engine.store.blobs import Blob


def keep_part(ctx: Context, upload: str, number: int, blob: Blob, checksums: dict[str, str]) -> None:
    """Keep a part, in the place of the one that had its number; call it in a transaction."""
    references.release(ctx.engine, _holder(upload, number))
    references.hold(ctx.store, _holder(upload, number), [blob.digest])
    body = json.dumps({"segments": [(blob.digest, blob.size)], "checksums": checksums})
    ctx.store.execute(
        "INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?, ?)",
        upload,
        number,
        blob.size,
        ctx.now(),
        blob.md5,
        body,
    )


def parts_of(ctx: Context, upload: str) -> list[dict[str, Any]]:
    """An upload's parts in the order of their numbers."""
    rows = ctx.store.execute("SELECT * FROM s3_parts WHERE upload = ? ORDER BY number", upload)
    return [
        {
            "PartNumber": row["number"],
            "Size": row["size"],
            "LastModified": row["modified"],
            "ETag": row["etag"],
            **json.loads(row["body"]),
        }
        for row in rows
    ]


def drop_upload(ctx: Context, upload: str) -> None:
    """Forget an upload and its parts; call it in a transaction."""
    for row in ctx.store.execute("DELETE FROM s3_parts WHERE upload = ? RETURNING number", upload):
        references.release(ctx.engine, _holder(upload, row["number"]))
    ctx.store.execute("DELETE FROM s3_uploads WHERE upload = ?", upload)


def _holder(upload: str, number: int) -> str:
    return f"part/{upload}/{number}"
