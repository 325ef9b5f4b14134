"""The raw results of a report in S3, as its report group wants: `<path>/<report group>/<report id>/<file>`, or one zip
file in place of the folder.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_S3ReportExportConfig.html
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from homeport.engine.services.codebuild import transfer
from homeport.engine.services.codebuild.artifacts import make_zip
from homeport.engine.services.codebuild.buildspec import Report
from homeport.engine.services.codebuild.collect import Picked
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.context import Context


async def export(
    ctx: Context, build: Row, wanted: Report, report: Row, picked: Sequence[Picked], folder: Path
) -> str:
    """Write the files as the build's role and return where they are; "" where the group exports nothing. Raises
    AwsError."""
    if report["exportConfig"]["exportConfigType"] != "S3":
        return ""
    target = report["exportConfig"]["s3Destination"]
    s3 = ctx.client("s3", role=build["serviceRole"])
    group = report["reportGroupArn"].rpartition("/")[2]
    key = posixpath.join(target.get("path", "").strip("/"), group, report["name"])
    if wanted.discard_paths:
        picked = [each._replace(path=posixpath.basename(each.path)) for each in picked]
    if target.get("packaging") == "ZIP":
        archive = folder / "report.zip"
        await asyncio.to_thread(make_zip, archive, picked)
        await transfer.upload(s3, target["bucket"], f"{key}.zip", archive, **_encryption(target))
        return f"s3://{target['bucket']}/{key}.zip"
    for each in picked:
        await transfer.upload(
            s3, target["bucket"], posixpath.join(key, each.path), each.file, **_encryption(target)
        )
    return f"s3://{target['bucket']}/{key}/"


def _encryption(target: Row) -> dict[str, Any]:
    if target.get("encryptionDisabled") or not target.get("encryptionKey"):
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": target["encryptionKey"]}
