"""CloudWatchAlarm: passes unless the alarm gets into one of the given states while the rule waits.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codepipeline.actions.contract import MINUTE, ActionFailed, Property
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> str:
    configuration = running.configuration
    name = configuration["AlarmName"]
    bad = set(configuration.get("AlarmStates", "ALARM").replace(" ", "").split(","))
    until = running.row["startTime"] + float(configuration.get("WaitTime", "0")) * MINUTE

    async def watched() -> str | None:
        answer = await running.client("cloudwatch").describe_alarms(AlarmNames=[name])
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        if not found:
            raise ActionFailed(f"There is no alarm '{name}'", code="ConfigurationError")
        state = found[0]["StateValue"]
        if state in bad:
            raise ActionFailed(f"The alarm '{name}' is in state {state}: {found[0].get('StateReason', '')}")
        return state if running.ctx.now() >= until else None

    return f"The alarm '{name}' is in state {await running.until(watched)}"


PROVIDER = RuleProvider(
    name="CloudWatchAlarm",
    properties=(Property("AlarmName", True), Property("AlarmStates"), Property("WaitTime")),
    run=_run,
)
