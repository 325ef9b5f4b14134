"""Commands: passes when the shell commands succeed.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-Commands.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codepipeline.actions.compute_commands import buildspec
from homeport.engine.services.codepipeline.actions.managed_build import run_build
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> str:
    await run_build(running, buildspec(running.action, running.resolve))
    return "The commands succeeded"


PROVIDER = RuleProvider(name="Commands", properties=(), run=_run, artifacts=True)
