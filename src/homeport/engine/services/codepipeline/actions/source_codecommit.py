"""Source CodeCommit: takes the head of a branch, or the commit that an override names.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
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
        summary=variables["CommitMessage"],
        variables=variables,
        outputs={output.name: output.key},
        revision=Revision(variables["CommitId"], variables["CommitMessage"], _url(running, variables)),
    )


async def _revision(running: Running) -> dict[str, str]:
    codecommit = running.client("codecommit")
    repository = running.configuration["RepositoryName"]
    branch = running.configuration["BranchName"]
    commit_id = running.override("COMMIT_ID")
    if commit_id is None:
        answer = await codecommit.get_branch(repositoryName=repository, branchName=branch)
        commit_id = answer["branch"]["commitId"]
    commit = (await codecommit.get_commit(repositoryName=repository, commitId=commit_id))["commit"]
    return {
        "AuthorDate": _date(commit["author"]["date"]),
        "BranchName": branch,
        "CommitId": commit_id,
        "CommitMessage": commit["message"].strip(),
        "CommitterDate": _date(commit["committer"]["date"]),
        "RepositoryName": repository,
    }


def _date(git: str) -> str:
    """AWS shows dates of commits in ISO 8601; git keeps `<seconds> <zone>`."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(git.split()[0]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _write(running: Running, commit_id: str, output: Artifact) -> None:
    repository = running.configuration["RepositoryName"]
    with running.folder() as folder:
        file = folder / "source.zip"
        if running.configuration.get("OutputArtifactFormat") == "CODEBUILD_CLONE_REF":
            _write_reference(running, commit_id, file)
        else:
            from homeport.engine.services.codecommit.archive import archive

            await archive(
                running.ctx, running.role, running.region, repository, commit_id, file, running.through
            )
        await running.upload(output, file)


def _write_reference(running: Running, commit_id: str, file: Path) -> None:
    """A reference instead of the files: the build clones the repository itself, with its history."""
    reference: dict[str, Any] = {
        "Provider": "CodeCommit",
        "RepositoryName": running.configuration["RepositoryName"],
        "BranchName": running.configuration["BranchName"],
        "CommitId": commit_id,
        "Region": running.region,
    }
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("codebuild-clone-reference.json", json.dumps(reference))


def _url(running: Running, variables: dict[str, str]) -> str:
    return (
        f"https://{running.region}.console.aws.amazon.com/codesuite/codecommit/repositories/"
        f"{variables['RepositoryName']}/commit/{variables['CommitId']}?region={running.region}"
    )


PROVIDER = ActionProvider(
    type=ActionTypeId("Source", "AWS", "CodeCommit"),
    inputs=(0, 0),
    outputs=(1, 1),
    properties=(
        Property("RepositoryName", True),
        Property("BranchName", True),
        Property("PollForSourceChanges", default="true"),
        Property("OutputArtifactFormat", default="CODE_ZIP"),
    ),
    run=_run,
)
