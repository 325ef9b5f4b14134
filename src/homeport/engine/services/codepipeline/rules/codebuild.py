"""CodeBuild: passes when a build of the project succeeds.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CodeBuild.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codepipeline.actions.build_codebuild import build_request, ended, why
from homeport.engine.services.codepipeline.actions.contract import ActionFailed, Property
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> str:
    codebuild = running.client("codebuild")

    async def start() -> str:
        answer = await codebuild.start_build(**build_request(running, running.configuration["ProjectName"]))
        return str(answer["build"]["id"])

    build_id = await running.x.step("start", start)
    await running.external(build_id)
    build = await running.until(
        lambda: ended(running, codebuild, build_id, batch=False), [f"codebuild.build:{build_id}"], 1.0
    )
    if build["status"] != "SUCCEEDED":
        raise ActionFailed(why(build))
    return f"The build {build_id} succeeded"


PROVIDER = RuleProvider(
    name="CodeBuild",
    properties=(Property("ProjectName", True), Property("PrimarySource"), Property("EnvironmentVariables")),
    run=_run,
    artifacts=True,
)
