"""Git itself: bare repositories on disk, driven by the git program.

<data>/codecommit/<repository id>.git/
  objects/ refs/ HEAD     git's own
  hooks/post-receive      appends one line for each reference of a push to `pushes`
  pushes                  `<old> <new> <reference> <pusher>` a line, in the order in which they happened
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Container, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from homeport.engine.config import Config

NULL = "0" * 40

_HOOK = """#!/bin/sh
# One write for the whole push: lines of two pushes never mix.
lines=$(while read -r old new reference; do printf '%s %s %s %s\\n' "$old" "$new" "$reference" "$PUSHER"; done)
printf '%s\\n' "$lines" >>pushes
"""

_SETTINGS = {
    "http.receivepack": "true",
    "receive.denyNonFastForwards": "false",
    "receive.denyDeletes": "false",
    "receive.fsckObjects": "true",
    "receive.autogc": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
    "core.logAllRefUpdates": "false",
    "core.fsync": "committed,reference",
    "gc.auto": "2000",
}


class GitFailed(Exception):
    """Git ended with an error; the text is what it said."""


class Reference(NamedTuple):
    """A change of one reference; `old` or `new` is NULL when it was created or deleted."""

    old: str
    new: str
    name: str
    pusher: str = ""


class Login(NamedTuple):
    """A user's name and token at the server of a URL (`https://github.com/team/app.git`)."""

    url: str
    user: str
    token: str


async def create(path: Path, branch: str = "main") -> None:
    """Make a bare repository; one that is there already is completed."""
    path.mkdir(parents=True, exist_ok=True)
    await run(path, "init", "--quiet", "--bare", f"--initial-branch={branch}", ".", bare=False)
    with (path / "config").open("a") as config:
        for key, value in _SETTINGS.items():
            section, name = key.split(".")
            config.write(f"[{section}]\n\t{name} = {value}\n")
    hook = path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(_HOOK)
    hook.chmod(0o755)


async def run(
    repository: Path,
    *arguments: str,
    input: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    bare: bool = True,
    allowed: Container[int] = (0,),
) -> bytes:
    """Run `git <arguments>` in the repository and return its output. Raises GitFailed for any other exit status
    than the `allowed` ones."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *(("--git-dir=.",) if bare else ()),
        *arguments,
        cwd=repository,
        env={**git_environment(), **(environment or {})},
        stdin=asyncio.subprocess.PIPE if input is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate(input)
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise
    if process.returncode not in allowed:
        raise GitFailed(errors.decode(errors="replace").strip() or f"git {arguments[0]} failed")
    return output


def git_environment() -> dict[str, str]:
    """What every git process sees: nothing of the user's own configuration."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "LC_ALL": "C.UTF-8",
    }


def remote_environment(config: Config, login: Login | None = None) -> dict[str, str]:
    """What git sees besides when it speaks to another server: the machine's proxies and certificates, and the login,
    which no command line shows and no other server is told, be it a submodule's.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-httplturlgt
    """
    environment = dict(config.proxies)
    if config.ca_bundle:
        environment["GIT_SSL_CAINFO"] = str(config.ca_bundle)
    if login:
        parts = urlsplit(login.url)
        server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
        basic = base64.b64encode(f"{login.user}:{login.token}".encode()).decode()
        environment |= {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_1": f"http.{server}.extraHeader",
            "GIT_CONFIG_VALUE_1": f"Authorization: Basic {basic}",
        }
    return environment


async def references(repository: Path) -> dict[str, str]:
    """Every branch and tag (`refs/heads/main`) with the object that it names."""
    output = await run(
        repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"
    )
    return dict(line.split(" ") for line in output.decode().splitlines())


def head(repository: Path, reference: str) -> str | None:
    """The object that a branch or tag (`refs/heads/main`) names, read from git's files: a process for each look
    would cost more than all the rest of it."""
    if ".." in reference or not reference.startswith("refs/"):
        return None
    try:
        return (repository / reference).read_text().strip()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        pass
    try:
        packed = (repository / "packed-refs").read_text()
    except FileNotFoundError:
        return None
    lines = (line.split(" ", 1) for line in packed.splitlines() if line[:1] not in ("#", "^"))
    return next((id for id, name in lines if name == reference), None)


def pushes(repository: Path, offset: int) -> tuple[list[Reference], int]:
    """The reference changes that the hook wrote down behind `offset`, and the offset behind the last one."""
    try:
        with (repository / "pushes").open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    complete = content[: content.rfind(b"\n") + 1]
    found = [Reference(*line.split(" ", 3)) for line in complete.decode().splitlines() if line.strip()]
    return found, offset + len(complete)


async def update_reference(repository: Path, name: str, new: str, old: str) -> None:
    """Move a reference from `old` (NULL: it must not exist) to `new` (NULL: delete it). Raises GitFailed
    when it is not at `old` any more."""
    if new == NULL:
        await run(repository, "update-ref", "-d", name, old)
    else:
        await run(repository, "update-ref", name, new, old)
