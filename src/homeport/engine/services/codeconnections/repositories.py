"""Repositories behind connections: where they are, and a mirror of each on disk.

<data>/codeconnections/<hash of the URL>.git    a bare mirror, fetched when it is needed

A connection's credentials are in the secret (Secrets Manager) that its tag `homeport:secret` names: JSON with
`token`, for private repositories, and `webhookSecret`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from homeport.engine.services.codecommit import git
from homeport.engine.services.codeconnections import tables
from homeport.engine.services.codeconnections.tables import Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

SECRET_TAG = "homeport:secret"
_HOME = {
    "GitHub": "https://github.com",
    "GitLab": "https://gitlab.com",
    "Bitbucket": "https://bitbucket.org",
    "AzureDevOps": "https://dev.azure.com",
}


class Mirrors:
    """One lock for each mirror: fetches of the same repository follow each other."""

    def __init__(self, engine: Engine) -> None:
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


def url(ctx: Context, connection: Row, repository: str) -> str:
    """Where git finds a repository (`owner/name`, or a URL or an absolute path by itself)."""
    if "://" in repository or repository.startswith("/"):
        return repository
    endpoint = _endpoint(ctx, connection)
    plain = f"{endpoint.rstrip('/')}/{repository}"
    local = endpoint.removeprefix("file://") if endpoint.startswith(("file://", "/")) else None
    if local is not None and not Path(f"{local.rstrip('/')}/{repository}.git").exists():
        return plain
    return f"{plain}.git"


def _endpoint(ctx: Context, connection: Row) -> str:
    if connection["HostArn"]:
        return str(tables.host(ctx, connection["HostArn"])["ProviderEndpoint"])
    return _HOME[connection["ProviderType"]]


async def heads(ctx: Context, connection: Row, repository: str) -> dict[str, str]:
    """Every branch and tag with its commit, asked of the provider now. Raises AwsError."""
    folder = ctx.engine.folder("codeconnections")
    address = url(ctx, connection, repository)
    environment = await _environment(ctx, connection)
    try:
        output = await git.run(
            folder, "ls-remote", "--refs", "--heads", "--tags", address, environment=environment, bare=False
        )
    except git.GitFailed as error:
        raise _unreachable(repository, error) from None
    lines = [line.split("\t") for line in output.decode().splitlines()]
    return {name: commit for commit, name in lines}


async def mirror(ctx: Context, connection: Row, repository: str, commit: str | None = None) -> Path:
    """The bare mirror, brought up to date unless it has the commit already. Raises AwsError."""
    mirrors = ctx.engine.part(Mirrors)
    address = url(ctx, connection, repository)
    path = ctx.engine.folder("codeconnections") / f"{hashlib.sha256(address.encode()).hexdigest()[:24]}.git"
    async with mirrors.locks[path.name]:
        if not (path / "HEAD").exists():
            path.mkdir(parents=True, exist_ok=True)
            await git.run(path, "init", "--quiet", "--bare", ".", bare=False)
        if commit and await _has(path, commit):
            return path
        wanted = [
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
            "+refs/pull/*/head:refs/pull/*/head",
        ]
        try:
            await git.run(
                path,
                *("fetch", "--quiet", "--prune", "--no-tags", "--force", address, *wanted),
                environment=await _environment(ctx, connection),
            )
        except git.GitFailed as error:
            raise _unreachable(repository, error) from None
        return path


async def changed_paths(path: Path, before: str, after: str) -> tuple[str, ...]:
    """The paths that differ between two commits of a mirror; all of them, when the first is not there."""
    if before == git.NULL or not await _has(path, before):
        output = await git.run(path, "ls-tree", "-r", "-z", "--name-only", after)
    else:
        output = await git.run(path, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
    return tuple(name for name in output.decode(errors="replace").split("\0") if name)


async def secret(ctx: Context, connection: Row) -> dict[str, str]:
    """What the connection's secret holds; nothing, when it has none."""
    name = next((tag["Value"] for tag in connection["Tags"] if tag["Key"] == SECRET_TAG), None)
    if name is None:
        return {}
    answer = await ctx.client("secretsmanager", as_service=True).get_secret_value(SecretId=name)
    try:
        return dict(json.loads(answer["SecretString"]))
    except (KeyError, ValueError):
        raise AwsError(
            "InvalidInputException",
            f"The secret {name} of connection {connection['ConnectionName']} is not JSON",
        ) from None


async def _environment(ctx: Context, connection: Row) -> dict[str, str]:
    token = (await secret(ctx, connection)).get("token")
    login = git.Login(_endpoint(ctx, connection), "x-access-token", token) if token else None
    return git.remote_environment(ctx.engine.config, login)


async def _has(path: Path, commit: str) -> bool:
    try:
        await git.run(path, "cat-file", "-e", f"{commit}^{{commit}}")
    except git.GitFailed:
        return False
    return True


def _unreachable(repository: str, error: git.GitFailed) -> AwsError:
    return AwsError(
        "ProviderResourceNotFoundException", f"The repository {repository} cannot be read: {str(error)[:500]}"
    )
