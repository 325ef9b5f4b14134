"""A working copy of a repository behind a connection, as CodeBuild takes it: the role needs UseConnection.

https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-github-gitclone.html
"""

from __future__ import annotations

from pathlib import Path

from homeport.engine.services.codecommit import git
from homeport.engine.services.codeconnections import repositories
from homeport.engine.services.codeconnections.use import use
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


async def clone(ctx: Context, role: str, arn: str, repository: str, commit: str, folder: Path) -> str:
    """Clone into an empty folder, as the role, check the commit out, and return it. `ctx` is the context of the
    service that asks. Raises AwsError."""
    own, connection = await use(ctx, role, ctx.region, arn)
    mirror = await repositories.mirror(own, connection, repository, commit)
    url = repositories.url(own, connection, repository)
    try:
        await git.run(
            folder, "clone", "--quiet", "--no-checkout", "--no-hardlinks", str(mirror), ".", bare=False
        )
        await git.run(folder, "remote", "set-url", "origin", url, bare=False)
        await git.run(folder, "checkout", "--quiet", "--detach", commit, bare=False)
    except git.GitFailed as error:
        raise AwsError(
            "ProviderResourceNotFoundException", f"[{repository}] cannot be cloned: {error}"
        ) from None
    return commit
