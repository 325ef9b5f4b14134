"""Files and folders at a commit, and single-file commits.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFile.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codecommit import commits, heads, tables, trees
from homeport.engine.services.codecommit.tables import Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

MAXIMUM_FILE = 6 * 1024 * 1024


@operation
async def get_file(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A file's content at a commit (the default branch, if none is named)."""
    repository = tables.repository(ctx, request["repositoryName"])
    commit = await _at(ctx, repository, request.get("commitSpecifier"))
    file = request["filePath"].strip("/")
    entry = await trees.entry(tables.path(ctx, repository), commit, file)
    if entry is None or entry.kind != "blob":
        raise AwsError("FileDoesNotExistException", f"File {file} does not exist at commit {commit}")
    if entry.size > MAXIMUM_FILE:
        raise AwsError("FileTooLargeException", f"File {file} is larger than {MAXIMUM_FILE} bytes")
    return {
        "commitId": commit,
        "blobId": entry.id,
        "filePath": file,
        "fileMode": entry.shown_mode,
        "fileSize": entry.size,
        "fileContent": await trees.blob(tables.path(ctx, repository), entry.id),
    }


@operation
async def get_blob(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A blob's content by its id."""
    repository = tables.repository(ctx, request["repositoryName"])
    return {"content": await trees.blob(tables.path(ctx, repository), request["blobId"])}


@operation
async def get_folder(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What a folder holds at a commit."""
    repository = tables.repository(ctx, request["repositoryName"])
    commit = await _at(ctx, repository, request.get("commitSpecifier"))
    folder = request["folderPath"].strip("/")
    tree, entries = await trees.folder(tables.path(ctx, repository), commit, folder)
    answer: dict[str, Any] = {"commitId": commit, "folderPath": folder, "treeId": tree}
    members: dict[str, list[Row]] = {"subFolders": [], "files": [], "symbolicLinks": [], "subModules": []}
    for entry in entries:
        place = {"absolutePath": entry.path, "relativePath": entry.path.rpartition("/")[2]}
        if entry.kind == "tree":
            members["subFolders"].append({"treeId": entry.id, **place})
        elif entry.kind == "commit":
            members["subModules"].append({"commitId": entry.id, **place})
        else:
            key = "symbolicLinks" if entry.mode == "120000" else "files"
            members[key].append({"blobId": entry.id, "fileMode": entry.shown_mode, **place})
    return answer | members


@operation
async def put_file(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add or replace one file in a commit of its own."""
    repository = tables.repository(ctx, request["repositoryName"])
    file = {
        "filePath": request["filePath"],
        "fileContent": request["fileContent"],
        "fileMode": request.get("fileMode", "NORMAL"),
    }
    answer = await commits.create(ctx, repository, _as_commit(request) | {"putFiles": [file]})
    changed = [*answer["filesAdded"], *answer["filesUpdated"]]
    return {"commitId": answer["commitId"], "treeId": answer["treeId"], "blobId": changed[0]["blobId"]}


@operation
async def delete_file(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete one file in a commit of its own."""
    repository = tables.repository(ctx, request["repositoryName"])
    file = {"filePath": request["filePath"]}
    answer = await commits.create(ctx, repository, _as_commit(request) | {"deleteFiles": [file]})
    return {
        "commitId": answer["commitId"],
        "treeId": answer["treeId"],
        "blobId": answer["filesDeleted"][0]["blobId"],
        "filePath": request["filePath"],
    }


def _as_commit(request: dict[str, Any]) -> dict[str, Any]:
    names = {"name": "authorName", "email": "email", "commitMessage": "commitMessage"}
    more = {
        "branchName": "branchName",
        "parentCommitId": "parentCommitId",
        "keepEmptyFolders": "keepEmptyFolders",
    }
    return {own: request[given] for given, own in (names | more).items() if given in request}


async def _at(ctx: Context, repository: Row, specifier: str | None) -> str:
    name = specifier or await heads.default_branch(ctx, repository)
    if name is None:
        raise AwsError("CommitDoesNotExistException", "The repository has no commits yet")
    return await heads.commit(ctx, repository, name)
