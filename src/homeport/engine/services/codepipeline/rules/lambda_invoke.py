"""LambdaInvoke: passes when the function returns without an error.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-LambdaInvoke.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import ActionFailed, Property
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> str:
    name = running.configuration["FunctionName"]
    event = {
        "pipelineName": running.row["pipelineName"],
        "pipelineExecutionId": running.row["pipelineExecutionId"],
        "stageName": running.row["stageName"],
        "userParameters": running.configuration.get("UserParameters", ""),
    }

    async def invoke() -> dict[str, Any]:
        answer = await running.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = answer.get("Payload", b"")
        body = payload if isinstance(payload, bytes) else b"".join([chunk async for chunk in payload])
        return {"error": answer.get("FunctionError"), "payload": body.decode(errors="replace")[:1024]}

    answer = await running.x.step("invoke", invoke)
    if answer["error"]:
        raise ActionFailed(f"The function {name} failed ({answer['error']}): {answer['payload']}")
    return f"The function {name} returned {answer['payload']}"


PROVIDER = RuleProvider(
    name="LambdaInvoke",
    properties=(Property("FunctionName", True), Property("UserParameters")),
    run=_run,
)
