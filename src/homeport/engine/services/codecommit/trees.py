"""Trees and blobs of a repository, read with git."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from homeport.engine.services.codecommit import git
from homeport.engine.wire.errors import AwsError

MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}
_SHOWN = {mode: name for name, mode in MODES.items()}


class Entry(NamedTuple):
    """One line of a tree; `kind` is blob, tree or commit (a submodule)."""

    mode: str
    kind: str
    id: str
    size: int
    path: str

    @property
    def shown_mode(self) -> str:
        return _SHOWN.get(self.mode, "NORMAL")


async def entry(repository: Path, commit: str, path: str) -> Entry | None:
    """The file, folder or submodule at a path."""
    found = await _list(repository, commit, path)
    return found[0] if found and found[0].path == path else None


async def folder(repository: Path, commit: str, path: str) -> tuple[str, list[Entry]]:
    """A folder's tree id and its entries. Raises FolderDoesNotExistException."""
    try:
        tree = await git.run(repository, "rev-parse", "--verify", "--quiet", f"{commit}:{path}")
    except git.GitFailed:
        raise AwsError(
            "FolderDoesNotExistException", f"Folder {path} does not exist at commit {commit}"
        ) from None
    return tree.decode().strip(), await _list(repository, commit, f"{path}/" if path else "")


async def blob(repository: Path, id: str) -> bytes:
    """A blob's bytes. Raises BlobIdDoesNotExistException."""
    try:
        return await git.run(repository, "cat-file", "blob", id)
    except git.GitFailed:
        raise AwsError("BlobIdDoesNotExistException", f"Blob ID {id} does not exist") from None


async def _list(repository: Path, commit: str, path: str) -> list[Entry]:
    paths = ["--", path] if path else []
    output = await git.run(
        repository, "ls-tree", "-z", "--long", commit, *paths, environment={"GIT_LITERAL_PATHSPECS": "1"}
    )
    found = []
    for line in output.decode(errors="surrogateescape").split("\0"):
        if line:
            facts, _, name = line.partition("\t")
            mode, kind, id, size = facts.split()
            found.append(Entry(mode, kind, id, int(size) if size.isdecimal() else 0, name))
    return found
