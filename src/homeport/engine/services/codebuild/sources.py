"""Getting a build's sources: from CodeCommit, GitHub and its like, S3, or CodePipeline's artifacts.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homeport.engine.services.codebuild import git_access, transfer
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codecommit import clone, git
from homeport.engine.services.codeconnections import clone as connection_clone
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

CLONE_REFERENCE = "codebuild-clone-reference.json"
_COMMIT_OF = re.compile(r"(?P<reference>.+)\^\{(?P<commit>[0-9a-f]{40})\}")
"""A version that names a commit and where it is found: `refs/heads/main^{<full commit id>}`."""
_CODECOMMIT = re.compile(
    r"git-codecommit(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?::\d+)?/v1/repos/([\w.-]+?)(?:\.git)?/?$"
)
_LOCAL_CODECOMMIT = re.compile(r"/v1/repos/([\w.-]+?)(?:\.git)?/?$")


async def fetch(ctx: Context, role: str, source: Row, version: str, folder: Path) -> str:
    """Put a source's files into an empty folder and return the version that they are, as AWS resolves it: a commit,
    or an object's version. Raises PhaseFailed."""
    kind = source["type"]
    try:
        if kind == "NO_SOURCE":
            return ""
        if kind in ("S3", "CODEPIPELINE"):
            return await _fetch_s3(ctx, role, source, version, folder)
        if kind == "CODECOMMIT":
            region, repository = _repository(ctx, source["location"])
            found = _COMMIT_OF.fullmatch(version)
            wanted = found["commit"] if found else version
            return await clone.clone(ctx, role, region, repository, wanted, folder)
        return await _clone(ctx, role, source, version, folder)
    except AwsError as error:
        raise PhaseFailed("CLIENT_ERROR", f"{_what(source)}: {error.message}") from None


def shown_version(source: Row, resolved: str) -> str:
    """`resolvedSourceVersion`: a commit, or the revision that CodePipeline gives; objects have none.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
    """
    return "" if source["type"] == "S3" or resolved.startswith("arn:aws:s3:::") else resolved


def directory(source: Row, version_folder: str) -> str:
    """Where AWS puts a source's files: below the folder of the build, by the name of its repository."""
    location = source.get("location", "")
    if source["type"] in ("S3", "CODEPIPELINE", "NO_SOURCE"):
        return version_folder
    parts = urlsplit(location if "//" in location else f"https://{location}")
    return f"{version_folder}/{parts.hostname}{parts.path.removesuffix('.git').rstrip('/')}"


def _what(source: Row) -> str:
    return {"S3": "S3 source", "CODEPIPELINE": "CodePipeline artifact"}.get(source["type"], "git source")


def _repository(ctx: Context, location: str) -> tuple[str, str]:
    if found := _CODECOMMIT.search(location):
        return found[1], found[2]
    if found := _LOCAL_CODECOMMIT.search(location):
        return ctx.region, found[1]
    raise PhaseFailed("CLIENT_ERROR", f"{location} is no clone URL of CodeCommit")


async def _fetch_s3(ctx: Context, role: str, source: Row, version: str, folder: Path) -> str:
    s3 = ctx.client("s3", role=role)
    bucket, _, key = source["location"].removeprefix("arn:aws:s3:::").partition("/")
    if key.endswith("/") or not key:
        await _fetch_folder(s3, bucket, key, folder)
        return version
    object_version = version if source["type"] == "S3" else ""
    file = folder.with_name(f"{folder.name}.object")
    try:
        answer = await transfer.download(s3, bucket, key, file, object_version)
        if zipfile.is_zipfile(file):
            await asyncio.to_thread(unzip, file, folder)
        else:
            file.rename(folder / key.rpartition("/")[2])
    except AwsError as error:
        raise PhaseFailed(
            "CLIENT_ERROR", f"{error.code}: {error.message} for primary source and source version {version}"
        ) from None
    finally:
        file.unlink(missing_ok=True)
    reference = folder / CLONE_REFERENCE
    if source["type"] == "CODEPIPELINE" and reference.is_file():
        wanted = json.loads(reference.read_text())
        reference.unlink()
        return await _clone_referenced(ctx, role, wanted, folder)
    return version if source["type"] == "CODEPIPELINE" else str(answer.get("VersionId") or version)


async def _clone_referenced(ctx: Context, role: str, wanted: dict[str, str], folder: Path) -> str:
    """What a source action leaves a reference to, in place of the files."""
    commit = reference(wanted["CommitId"])
    if arn := wanted.get("ConnectionArn"):
        return await connection_clone.clone(ctx, role, arn, wanted["FullRepositoryName"], commit, folder)
    return await clone.clone(ctx, role, wanted["Region"], wanted["RepositoryName"], commit, folder)


async def _fetch_folder(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    token = None
    while True:
        answer = await s3.list_objects_v2(Bucket=bucket, Prefix=prefix, ContinuationToken=token)
        for each in answer.get("Contents", ()):
            name = each["Key"][len(prefix) :]
            if name and not name.endswith("/") and (target := _inside(folder, name)):
                await transfer.download(s3, bucket, each["Key"], target)
        token = answer.get("NextContinuationToken")
        if not token:
            return


def unzip(file: Path, folder: Path) -> None:
    """Unpack with file modes and symbolic links; what would lie outside of the folder is left out."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            target = _inside(folder, member.filename)
            if target is None:
                continue
            mode = member.external_attr >> 16
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_symlink():  # of an earlier member of the same name: nothing is written through it
                target.unlink()
            if stat.S_ISLNK(mode):
                os.symlink(archive.read(member).decode(), target)
                continue
            with archive.open(member) as source, target.open("wb") as written:
                while chunk := source.read(transfer.CHUNK):
                    written.write(chunk)
            target.chmod(stat.S_IMODE(mode) & 0o777 if mode else 0o644)


def _inside(folder: Path, name: str) -> Path | None:
    target = folder / name
    inside = target.parent.resolve().is_relative_to(folder.resolve()) and ".." not in Path(name).parts
    return target if inside else None


async def _clone(ctx: Context, role: str, source: Row, version: str, folder: Path) -> str:
    """Clone over HTTPS with the host's git, proxies and certificates."""
    found = _COMMIT_OF.fullmatch(version)
    wanted = reference(found["reference"] if found else version)
    environment = git.remote_environment(ctx.engine.config, await git_access.find(ctx, role, source))
    if source.get("insecureSsl"):
        environment["GIT_SSL_NO_VERIFY"] = "1"

    async def run(*arguments: str) -> str:
        try:
            return (await git.run(folder, *arguments, environment=environment, bare=False)).decode()
        except git.GitFailed as error:
            code = "GIT_CLONE_FAILED" if arguments[0] == "fetch" else "CLIENT_ERROR"
            raise PhaseFailed(code, str(error)) from None

    depth = source.get("gitCloneDepth") or 0
    await run("init", "--quiet", ".")
    await run("remote", "add", "origin", source["location"])
    shallow = [f"--depth={depth}"] if depth and not found else []
    try:
        await run("fetch", "--quiet", *shallow, "origin", wanted or "HEAD")
    except PhaseFailed:
        await run("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        await run("checkout", "--quiet", "--detach", found["commit"] if found else wanted)
    else:
        await run("checkout", "--quiet", "--detach", found["commit"] if found else "FETCH_HEAD")
    if source.get("gitSubmodulesConfig", {}).get("fetchSubmodules"):
        await run("submodule", "update", "--init", "--recursive", "--quiet")
    return (await run("rev-parse", "HEAD")).strip()


def reference(version: str) -> str:
    """What git is asked for: `pr/7` is the head of that pull request. Raises PhaseFailed for what git would take for
    one of its options."""
    if version.startswith("-"):
        raise PhaseFailed("CLIENT_ERROR", f"{version!r} is no branch, tag, pull request or commit")
    if found := re.fullmatch(r"pr/(\d+)", version):
        return f"refs/pull/{found[1]}/head"
    return version
