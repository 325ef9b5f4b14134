"""Source CodeStarSourceConnection: takes a commit of a repository behind a connection.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codecommit import git
from homeport.engine.services.codeconnections import repositories
from homeport.engine.services.codeconnections.use import use
from homeport.engine.services.codepipeline.actions.contract import (
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
    Revision,
)
from homeport.engine.services.codepipeline.artifacts import Artifact

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    output = running.output(running.action["outputArtifacts"][0]["name"])
    variables = await running.x.step("revision", lambda: _revision(running))
    await running.x.step("artifact", lambda: _write(running, variables["CommitId"], output))
    return ActionResult(
        summary=json.dumps(
            {"ProviderType": variables["ProviderType"], "CommitMessage": variables["CommitMessage"]}
        ),
        variables=variables,
        outputs={output.name: output.key},
        revision=Revision(variables["CommitId"], variables["CommitMessage"], _url(variables)),
    )


async def _revision(running: Running) -> dict[str, str]:
    ctx, connection = await _connection(running)
    repository = running.configuration["FullRepositoryId"]
    branch = running.override("BRANCH") or running.configuration["BranchName"]
    commit = running.override("COMMIT_ID")
    if commit is None:
        heads = await repositories.heads(ctx, connection, repository)
        commit = heads.get(f"refs/heads/{branch}")
    if commit is None:
        raise ActionFailed(f"[{repository}] has no branch '{branch}'", code="ConfigurationError")
    mirror = await repositories.mirror(ctx, connection, repository, commit)
    try:
        shown = await git.run(mirror, "show", "-s", "--format=%aI%x00%an%x00%ae%x00%H%x00%B", commit)
    except git.GitFailed:
        raise ActionFailed(f"[{repository}] has no commit {commit}", code="RevisionUnavailable") from None
    date, name, email, full, message = shown.decode(errors="replace").split("\0", 4)
    return {
        "AuthorDate": datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "AuthorDisplayName": name,
        "AuthorEmail": email,
        "BranchName": branch,
        "CommitId": full,
        "CommitMessage": message.strip(),
        "ConnectionArn": running.configuration["ConnectionArn"],
        "FullRepositoryName": repository,
        "ProviderType": connection["ProviderType"],
    }


async def _connection(running: Running) -> tuple[Any, dict[str, Any]]:
    return await use(
        running.ctx,
        running.role,
        running.region,
        running.configuration["ConnectionArn"],
        running.through,
    )


async def _write(running: Running, commit: str, output: Artifact) -> None:
    ctx, connection = await _connection(running)
    repository = running.configuration["FullRepositoryId"]
    with running.folder() as folder:
        file = folder / "source.zip"
        if running.configuration.get("OutputArtifactFormat") == "CODEBUILD_CLONE_REF":
            reference = {
                "ConnectionArn": running.configuration["ConnectionArn"],
                "FullRepositoryName": repository,
                "CommitId": commit,
            }
            with zipfile.ZipFile(file, "w") as target:
                target.writestr("codebuild-clone-reference.json", json.dumps(reference))
        else:
            mirror = await repositories.mirror(ctx, connection, repository, commit)
            await git.run(mirror, "archive", "--format=zip", f"--output={file}", commit)
        await running.upload(output, file)


def _url(variables: dict[str, str]) -> str:
    homes = {
        "GitHub": "https://github.com",
        "GitLab": "https://gitlab.com",
        "Bitbucket": "https://bitbucket.org",
    }
    home, repository = homes.get(variables["ProviderType"]), variables["FullRepositoryName"]
    return f"{home}/{repository}/commit/{variables['CommitId']}" if home and "://" not in repository else ""


PROVIDER = ActionProvider(
    type=ActionTypeId("Source", "AWS", "CodeStarSourceConnection"),
    inputs=(0, 0),
    outputs=(1, 1),
    properties=(
        Property("ConnectionArn", True),
        Property("FullRepositoryId", True),
        Property("BranchName", True),
        Property("OutputArtifactFormat", default="CODE_ZIP"),
        Property("DetectChanges", default="true"),
    ),
    run=_run,
)
