"""Compute Commands: runs shell commands on the input artifact, as the action's role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
    HOUR,
    ActionProvider,
    ActionResult,
    ActionTypeId,
)
from homeport.engine.services.codepipeline.actions.managed_build import run_build

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    variables = await run_build(
        running, buildspec(running.action, running.resolve), environment=_environment(running)
    )
    return ActionResult(
        summary="Commands succeeded",
        variables=variables,
        outputs={one["name"]: running.output(one["name"]).key for one in running.action["outputArtifacts"]},
    )


def buildspec(action: dict[str, Any], resolve: Any) -> dict[str, Any]:
    """The commands as a buildspec; an output artifact holds the files that it names, or everything."""
    spec: dict[str, Any] = {
        "version": 0.2,
        "phases": {"build": {"commands": [resolve(command) for command in action["commands"]]}},
    }
    if names := action.get("outputVariables"):
        spec["env"] = {"exported-variables": names}
    outputs = action.get("outputArtifacts", [])
    if len(outputs) == 1:
        spec["artifacts"] = {"files": outputs[0].get("files") or ["**/*"]}
    elif outputs:
        each = {one["name"]: {"files": one.get("files") or ["**/*"]} for one in outputs}
        spec["artifacts"] = {"secondary-artifacts": each}
    return spec


def _environment(running: Running) -> list[dict[str, str]]:
    types = {"PLAINTEXT": "PLAINTEXT", "SECRETS_MANAGER": "SECRETS_MANAGER"}
    return [
        {
            "name": one["name"],
            "value": running.resolve(one["value"]),
            "type": types[one.get("type", "PLAINTEXT")],
        }
        for one in running.action.get("environmentVariables", ())
    ]


PROVIDER = ActionProvider(
    type=ActionTypeId("Compute", "AWS", "Commands"),
    inputs=(1, 10),
    outputs=(0, 1),
    properties=(),
    run=_run,
    timeout=HOUR,
    v2_only=True,
)
