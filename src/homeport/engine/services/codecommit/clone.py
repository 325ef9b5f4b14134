"""A working copy of a repository, as CodeBuild takes it: the role needs codecommit:GitPull.

https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html
"""

from __future__ import annotations

from pathlib import Path

from homeport.engine.services.codecommit import git, heads, tables
from homeport.engine.services.codecommit.permissions import authorize
from homeport.engine.services.context import Context, principal_name


async def clone(
    ctx: Context, role: str, region: str, repository_name: str, version: str, folder: Path
) -> str:
    """Clone into an empty folder, as the role, check a branch, tag or commit out (the default branch without one),
    and return the commit. `ctx` is the context of the service that asks. Raises AwsError."""
    own = ctx.engine.context("codecommit", ctx.scope._replace(region=region))
    session = f"{ctx.service}-{ctx.request_id[:8]}"
    principal = ctx.engine.identity.assume_for_service(
        role, principal_name(ctx.assumes_as or ctx.service), session
    )
    await authorize(own, principal, "GitPull", repository_name)
    repository = tables.repository(own, repository_name)
    wanted = version or await heads.default_branch(own, repository) or "HEAD"
    commit = await heads.commit(own, repository, wanted)
    source = tables.path(own, repository)
    await git.run(folder, "clone", "--quiet", "--no-checkout", "--no-hardlinks", str(source), ".", bare=False)
    url = f"https://git-codecommit.{region}.amazonaws.com/v1/repos/{repository_name}"
    await git.run(folder, "remote", "set-url", "origin", url, bare=False)
    await git.run(folder, "checkout", "--quiet", "--detach", commit, bare=False)
    return commit
