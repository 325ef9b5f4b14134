"""Conflicts of a merge, and their resolution as a caller wants it.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_ConflictResolution.html
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from homeport.engine.services.codecommit import git, trees
from homeport.engine.services.codecommit.git import NULL
from homeport.engine.wire.errors import AwsError

BASE, DESTINATION, SOURCE = 1, 2, 3
_STRATEGIES = {"ACCEPT_SOURCE": SOURCE, "ACCEPT_DESTINATION": DESTINATION}
_KEPT = {"KEEP_BASE": BASE, "KEEP_SOURCE": SOURCE, "KEEP_DESTINATION": DESTINATION}


class Version(NamedTuple):
    """A file as one side of the merge has it."""

    mode: str
    blob: str


Conflicts = dict[str, dict[int, Version]]
"""Paths in conflict, each with its versions: BASE, DESTINATION, SOURCE, as far as the file is there."""


async def merged(path: Path, source: str, destination: str) -> tuple[str, Conflicts]:
    """The tree of the merge of two commits, and its conflicts."""
    arguments = ("merge-tree", "--write-tree", "--no-messages", "-z", destination, source)
    output = await git.run(path, *arguments, allowed=(0, 1))
    tree, *lines = [part for part in output.decode(errors="surrogateescape").split("\0") if part]
    conflicts: Conflicts = {}
    for line in lines:
        facts, _, name = line.partition("\t")
        mode, blob, stage = facts.split()
        conflicts.setdefault(name, {})[int(stage)] = Version(mode, blob)
    return tree.strip(), conflicts


async def resolve(
    path: Path, tree: str, conflicts: Conflicts, request: dict[str, Any]
) -> tuple[str, list[str]]:
    """The tree without the conflicts that the request resolves, and the paths of those that it does not."""
    resolution = request.get("conflictResolution") or {}
    strategy = _STRATEGIES.get(request.get("conflictResolutionStrategy") or "NONE")
    replaced = {one["filePath"]: one for one in resolution.get("replaceContents", ())}
    deleted = {one["filePath"] for one in resolution.get("deleteFiles", ())}
    modes = {one["filePath"]: one["fileMode"] for one in resolution.get("setFileModes", ())}
    for name in (*replaced, *deleted, *modes):
        if name not in conflicts:
            raise AwsError("InvalidConflictResolutionException", f"{name} is not in conflict")
    lines, left = [], []
    for name, versions in conflicts.items():
        if name in deleted:
            chosen = None
        elif name in replaced:
            chosen = await _replacement(path, replaced[name], versions)
        elif strategy is not None:
            chosen = versions.get(strategy)
        else:
            left.append(name)
            continue
        if chosen and name in modes:
            chosen = chosen._replace(mode=trees.MODES[modes[name]])
        lines.append(f"{chosen.mode} {chosen.blob}\t{name}\0" if chosen else f"0 {NULL}\t{name}\0")
    return await _changed(path, tree, "".join(lines)), left


async def _replacement(path: Path, wanted: dict[str, Any], versions: dict[int, Version]) -> Version | None:
    if wanted["replacementType"] != "USE_NEW_CONTENT":
        return versions.get(_KEPT[wanted["replacementType"]])
    if "content" not in wanted:
        raise AwsError(
            "ReplacementContentRequiredException", f"The content of {wanted['filePath']} is required"
        )
    written = await git.run(path, "hash-object", "-w", "--stdin", input=wanted["content"])
    before = versions.get(SOURCE) or versions.get(DESTINATION) or versions[BASE]
    mode = trees.MODES[wanted["fileMode"]] if "fileMode" in wanted else before.mode
    return Version(mode, written.decode().strip())


async def _changed(path: Path, tree: str, lines: str) -> str:
    with TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        await git.run(path, "read-tree", tree, environment=index)
        text = lines.encode(errors="surrogateescape")
        await git.run(path, "update-index", "-z", "--index-info", input=text, environment=index)
        return (await git.run(path, "write-tree", environment=index)).decode().strip()
