"""Builds of CodePipeline's own, which act as the pipeline's role: for Commands and for ECRBuildAndPublish.

They run in CodeBuild projects named `codepipeline-<pipeline>-<stage>-<action>`, with their logs in
`/aws/codepipeline/<pipeline>`, as https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
tells.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.build_codebuild import build_request, ended, why
from homeport.engine.services.codepipeline.actions.contract import ActionFailed
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running

IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"


async def run_build(
    running: Running,
    buildspec: dict[str, Any],
    privileged: bool = False,
    environment: list[dict[str, str]] | None = None,
) -> dict[str, str]:
    """Run the buildspec on the action's inputs and return the variables that it exports. Raises ActionFailed."""
    name = _project_name(running)
    build_id = await running.x.step(
        "start", lambda: _start(running, name, buildspec, privileged, environment or [])
    )
    await running.external(build_id, "")
    client = running.ctx.client("codebuild", as_service=True, region=running.region)
    build = await running.until(
        lambda: ended(running, client, build_id, batch=False), [f"codebuild.build:{build_id}"], 1.0
    )
    if build["status"] != "SUCCEEDED":
        raise ActionFailed(why(build))
    variables: dict[str, str] = build["variables"]
    return variables


def _project_name(running: Running) -> str:
    parts = (running.row["pipelineName"], running.row["stageName"], running.action["name"])
    return "codepipeline-" + "-".join(part.replace(".", "_").replace("@", "_") for part in parts)[:200]


async def _start(
    running: Running,
    name: str,
    buildspec: dict[str, Any],
    privileged: bool,
    environment: list[dict[str, str]],
) -> str:
    client = running.ctx.client("codebuild", as_service=True, region=running.region)
    project: dict[str, Any] = {
        "name": name,
        "serviceRole": running.role,
        "source": {"type": "CODEPIPELINE"},
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": IMAGE,
            "computeType": "BUILD_GENERAL1_SMALL",
            "privilegedMode": privileged,
        },
        "logsConfig": {
            "cloudWatchLogs": {
                "status": "ENABLED",
                "groupName": f"/aws/codepipeline/{running.row['pipelineName']}",
            }
        },
    }
    try:
        await client.create_project(**project)
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
        await client.update_project(**project)
    request = build_request(running, name) | {"buildspecOverride": json.dumps(buildspec)}
    request["environmentVariablesOverride"] = [*environment, *request["environmentVariablesOverride"]]
    answer = await client.start_build(**request)
    return str(answer["build"]["id"])
