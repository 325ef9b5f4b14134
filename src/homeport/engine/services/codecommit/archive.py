"""A commit's files as a zip, as CodePipeline takes them: the role needs codecommit:UploadArchive.

https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html
"""

from __future__ import annotations

from pathlib import Path

from homeport.engine.services.codecommit import git, tables
from homeport.engine.services.codecommit.permissions import authorize
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


async def archive(
    ctx: Context,
    role: str,
    region: str,
    repository_name: str,
    commit_id: str,
    file: Path,
    through: str | None = None,
) -> None:
    """Write the zip, as the role (assumed `through` another one, if one is given). `ctx` is the context of the
    service that asks. Raises AwsError."""
    own = ctx.engine.context("codecommit", ctx.scope._replace(region=region))
    session = f"codepipeline-{ctx.request_id[:8]}"
    principal = ctx.engine.identity.assume_for_service(role, "codepipeline.amazonaws.com", session, through)
    await authorize(own, principal, "UploadArchive", repository_name)
    repository = tables.path(own, tables.repository(own, repository_name))
    try:
        await git.run(repository, "archive", "--format=zip", f"--output={file}", commit_id)
    except git.GitFailed as error:
        raise AwsError("CommitDoesNotExistException", f"Commit {commit_id} does not exist: {error}") from None
