"""Commits of a repository: read, compared, and made from the API's file lists.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from homeport.engine.services.codecommit import git, heads, tables, trees
from homeport.engine.services.codecommit.git import NULL
from homeport.engine.services.codecommit.tables import Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

MAXIMUM_FILES = 100
_KINDS = {"A": "A", "D": "D", "M": "M", "T": "M"}


async def read(repository: Path, id: str) -> Row:
    """A commit as GetCommit shows it."""
    content = (await git.run(repository, "cat-file", "commit", id)).decode(errors="replace")
    head, _, message = content.partition("\n\n")
    lines: dict[str, list[str]] = {}
    last = ""
    for line in head.splitlines():
        if line.startswith(" "):
            lines[last][-1] += "\n" + line[1:]
        else:
            last, _, value = line.partition(" ")
            lines.setdefault(last, []).append(value)
    return {
        "commitId": id,
        "treeId": lines["tree"][0],
        "parents": lines.get("parent", []),
        "message": message,
        "author": _person(lines["author"][0]),
        "committer": _person(lines["committer"][0]),
        "additionalData": "\n".join(lines.get("gpgsig", [])),
    }


def _person(text: str) -> Row:
    who, _, date = text.rpartition("> ")
    name, _, email = who.rpartition(" <")
    return {"name": name, "email": email, "date": date}


async def differences(
    repository: Path, before: str | None, after: str, before_path: str | None, after_path: str | None
) -> list[Row]:
    """The files that differ, in the order of their paths."""
    if before is None:
        before = (await git.run(repository, "hash-object", "-t", "tree", "/dev/null")).decode().strip()
    left, right = (
        f"{side}:{path.strip('/')}" if path and path.strip("/") else side
        for side, path in ((before, before_path), (after, after_path))
    )
    try:
        output = await git.run(repository, "diff-tree", "-r", "-z", "--raw", "--no-renames", left, right)
    except git.GitFailed:
        missing = after_path or before_path
        raise AwsError("PathDoesNotExistException", f"Path {missing} does not exist") from None
    parts = output.decode(errors="surrogateescape").split("\0")
    prefix = f"{after_path.strip('/')}/" if after_path and after_path.strip("/") else ""
    return [_difference(facts, prefix + path) for facts, path in zip(parts[::2], parts[1::2], strict=False)]


def _difference(facts: str, path: str) -> Row:
    old_mode, new_mode, old, new, kind = facts.removeprefix(":").split()
    difference: Row = {"changeType": _KINDS[kind[0]]}
    if old != NULL:
        difference["beforeBlob"] = {"blobId": old, "path": path, "mode": old_mode}
    if new != NULL:
        difference["afterBlob"] = {"blobId": new, "path": path, "mode": new_mode}
    return difference


async def history(repository: Path, start: str, path: str) -> list[Row]:
    """The commits up to `start` that changed a file, newest first, each with the file's blob then."""
    arguments = (
        "log",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "-m",
        "--first-parent",
        "--format=%x01%H",
        start,
    )
    output = await git.run(repository, *arguments, "--", path, environment={"GIT_LITERAL_PATHSPECS": "1"})
    found: list[Row] = []
    for block in output.decode(errors="replace").split("\x01")[1:]:
        commit, *lines = block.split("\n")
        blob = next((line.split()[3] for line in lines if line.startswith(":")), "")
        if blob and blob != NULL:
            children = [found[-1]["commitId"]] if found else []
            found.append({"position": len(found), "commitId": commit, "blobId": blob, "children": children})
    return found


async def create(ctx: Context, repository: Row, request: dict[str, Any]) -> dict[str, Any]:
    """Make a commit on the tip of a branch and move the branch to it."""
    path, name = tables.path(ctx, repository), request["branchName"]
    parent = await _parent(ctx, repository, name, request.get("parentCommitId"))
    changes = _Changes(request)
    with TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent:
            await git.run(path, "read-tree", parent, environment=index)
        answer = await changes.apply(path, parent, index)
        tree = (await git.run(path, "write-tree", environment=index)).decode().strip()
    if parent and tree == (await read(path, parent))["treeId"]:
        raise AwsError("NoChangeException", "The commit would change nothing: the files are already so")
    commit = await write(ctx, path, tree, [parent] if parent else [], request)
    try:
        await heads.move(ctx, repository, f"refs/heads/{name}", commit, parent or NULL)
    except git.GitFailed:
        raise AwsError(
            "ParentCommitIdOutdatedException", f"The tip of branch {name} has moved: read it and commit again"
        ) from None
    return {"commitId": commit, "treeId": tree, **answer}


async def _parent(ctx: Context, repository: Row, name: str, given: str | None) -> str | None:
    try:
        tip = await heads.branch(ctx, repository, name)
    except AwsError:
        references = await git.references(tables.path(ctx, repository))
        if references and given is None:
            raise
        return await heads.commit(ctx, repository, given) if given else None
    if given is None:
        raise AwsError(
            "ParentCommitIdRequiredException",
            f"Branch {name} exists: parentCommitId must be the commit at its tip",
        )
    if given != tip:
        raise AwsError("ParentCommitIdOutdatedException", f"The tip of branch {name} is {tip}, not {given}")
    return tip


async def write(ctx: Context, path: Path, tree: str, parents: list[str], request: dict[str, Any]) -> str:
    """Make a commit of a tree, with the author and message that the request gives."""
    user = ctx.principal.arn.rpartition("/")[2].rpartition(":")[2]
    name, email = request.get("authorName") or user, request.get("email") or ""
    date = f"{int(ctx.now())} +0000"
    environment = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", email), ("DATE", date))
    }
    message = (request.get("commitMessage") or "").encode()
    flags = [flag for parent in parents for flag in ("-p", parent)]
    output = await git.run(path, "commit-tree", tree, *flags, input=message, environment=environment)
    return output.decode().strip()


class _Changes:
    """The file lists of one CreateCommit request."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._puts = request.get("putFiles", [])
        self._deletes = request.get("deleteFiles", [])
        self._modes = request.get("setFileModes", [])
        everything = [one["filePath"].strip("/") for one in (*self._puts, *self._deletes, *self._modes)]
        if not everything:
            raise AwsError("FileEntryRequiredException", "The commit has no files to put, delete or change")
        if len(everything) > MAXIMUM_FILES:
            raise AwsError(
                "MaximumFileEntriesExceededException", f"A commit can change at most {MAXIMUM_FILES} files"
            )
        for path in everything:
            if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")):
                raise AwsError("InvalidPathException", f"{path!r} is not a path in a repository")
            if everything.count(path) > 1:
                raise AwsError("DuplicateFileException", f"The commit names {path} more than once")

    async def apply(self, path: Path, parent: str | None, index: dict[str, str]) -> dict[str, Any]:
        """Write the changes into the index and say what they were."""
        lines: list[str] = []
        answer: dict[str, Any] = {"filesAdded": [], "filesUpdated": [], "filesDeleted": []}
        for one in self._puts:
            file = one["filePath"].strip("/")
            before = await trees.entry(path, parent, file) if parent else None
            mode = one.get("fileMode") or (before.shown_mode if before else "NORMAL")
            if "sourceFile" in one:
                raise AwsError(
                    "FileContentRequiredException", f"Give the content of {file}: sourceFile is not taken"
                )
            written = await git.run(path, "hash-object", "-w", "--stdin", input=one.get("fileContent", b""))
            id = written.decode().strip()
            lines.append(f"{trees.MODES[mode]} {id}\t{file}")
            kind = "filesUpdated" if before else "filesAdded"
            answer[kind].append({"absolutePath": file, "blobId": id, "fileMode": mode})
        for one in self._deletes:
            file = one["filePath"].strip("/")
            before = await self._existing(path, parent, file)
            lines.append(f"0 {NULL}\t{file}")
            answer["filesDeleted"].append(
                {"absolutePath": file, "blobId": before.id, "fileMode": before.shown_mode}
            )
        for one in self._modes:
            file = one["filePath"].strip("/")
            before = await self._existing(path, parent, file)
            lines.append(f"{trees.MODES[one['fileMode']]} {before.id}\t{file}")
            answer["filesUpdated"].append(
                {"absolutePath": file, "blobId": before.id, "fileMode": one["fileMode"]}
            )
        text = "".join(f"{line}\0" for line in lines).encode(errors="surrogateescape")
        await git.run(path, "update-index", "-z", "--index-info", input=text, environment=index)
        return answer

    @staticmethod
    async def _existing(path: Path, parent: str | None, file: str) -> trees.Entry:
        before = await trees.entry(path, parent, file) if parent else None
        if before is None or before.kind != "blob":
            raise AwsError("FileDoesNotExistException", f"File {file} does not exist")
        return before
