"""A batch whose artifacts are combined: its builds leave theirs beside the place that the project names, and in the
batch's phase COMBINE_ARTIFACTS they become one. Where two builds have a file of the same path, the later one's counts.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectBuildBatchConfig.html
"""

from __future__ import annotations

import asyncio
import posixpath
import stat
import zipfile
from pathlib import Path

from homeport.engine.services.codebuild import artifacts, transfer
from homeport.engine.services.codebuild.buildspec import Artifacts
from homeport.engine.services.codebuild.collect import Picked
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

PHASE = "COMBINE_ARTIFACTS"


def combines(batch: Row) -> bool:
    """Whether the batch's artifacts become one."""
    wanted = batch["buildBatchConfig"].get("combineArtifacts")
    return bool(wanted) and batch["_artifacts"]["type"] != "NO_ARTIFACTS"


def piece(batch: Row, identifier: str) -> Row:
    """Where one build of the batch leaves its artifact, as its `artifactsOverride`."""
    target = batch["_artifacts"]
    folder = f"{batch['id'].partition(':')[2]}/{identifier}"
    if target["type"] == "CODEPIPELINE":
        return target | {"name": f"{target['name']}-{folder}"}
    own = {"namespaceType": "NONE", "packaging": "ZIP", "overrideArtifactName": False}
    return target | own | {"path": posixpath.join(target.get("path", ""), folder), "name": "artifact.zip"}


async def combine(ctx: Context, batch: Row) -> Row:
    """Make one artifact of those of the batch's builds and return its `BuildArtifacts`. Raises PhaseFailed."""
    pieces = [
        group["currentBuildSummary"]["primaryArtifact"]["location"]
        .removeprefix("arn:aws:s3:::")
        .partition("/")
        for group in batch["buildGroups"]
        if "primaryArtifact" in group.get("currentBuildSummary", {})
    ]
    workspace = Workspace(ctx, batch["id"])
    folder = workspace.artifacts("combined")
    s3 = ctx.client("s3", role=batch["serviceRole"])
    try:
        files: dict[str, Picked] = {}
        for number, (bucket, _, key) in enumerate(pieces):
            archive = folder / f"{number}.zip"
            await transfer.download(s3, bucket, key, archive)
            files |= await asyncio.to_thread(_unpack, archive, folder / str(number))
        picked = [files[path] for path in sorted(files)]
        name = batch["_artifacts"].get("name", batch["projectName"])
        made = await artifacts.store(
            ctx, batch, batch["_artifacts"], Artifacts(files=()), name, picked, folder
        )
        for bucket, _, key in pieces:
            await s3.delete_object(Bucket=bucket, Key=key)
        return made
    except AwsError as error:
        raise PhaseFailed(
            "CLIENT_ERROR", f"Error while combining artifacts: {error.code}: {error.message}"
        ) from None
    finally:
        await workspace.drop()


def _unpack(archive: Path, folder: Path) -> dict[str, Picked]:
    """The files of one build's artifact, by their paths."""
    files = {}
    folder.mkdir()
    with zipfile.ZipFile(archive) as source:
        for number, member in enumerate(source.infolist()):
            mode = member.external_attr >> 16
            if stat.S_ISLNK(mode):
                files[member.filename] = Picked(member.filename, folder, source.read(member).decode())
                continue
            file = folder / str(number)
            with source.open(member) as content, file.open("wb") as target:
                while chunk := content.read(transfer.CHUNK):
                    target.write(chunk)
            file.chmod(stat.S_IMODE(mode) | 0o600)
            files[member.filename] = Picked(member.filename, file)
    return files
