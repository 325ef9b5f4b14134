"""Invoke Lambda: the function gets a job and answers with PutJobSuccessResult or PutJobFailureResult.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
"""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.actions.contract import (
    HOUR,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


def topic(job_id: str) -> str:
    """Notified when the job's result is put."""
    return f"codepipeline.job:{job_id}"


async def _run(running: Running) -> ActionResult:
    job_id = str(uuid.UUID(running.x.token("job")))
    running.note(jobId=job_id)
    for attempt in range(1000):
        continuation = _result(running).get("continuationToken") if attempt else None
        await running.x.step(f"invoke {attempt}", partial(_invoke, running, job_id, continuation))

        async def answered(n: int = attempt) -> dict[str, Any] | None:
            result = _result(running)
            return result if result.get("number", 0) > n else None

        result = await running.until(answered, [topic(job_id)], every=10)
        if result["status"] == "Failed":
            raise ActionFailed(result["message"], code=result["type"])
        if not result.get("continuationToken"):
            break
    return ActionResult(
        summary=result.get("summary", ""),
        variables=result.get("variables", {}),
        outputs={one["name"]: running.output(one["name"]).key for one in running.action["outputArtifacts"]},
    )


def _result(running: Running) -> dict[str, Any]:
    row = tables.ACTIONS.get(running.ctx, running.row["pipelineName"], running.row["sequence"])
    return (row or {}).get("jobResult") or {}


async def _invoke(running: Running, job_id: str, continuation: str | None) -> None:
    told = data(running) | {"artifactCredentials": _credentials(running)}
    told |= {"continuationToken": continuation} if continuation else {}
    event = {"CodePipeline.job": {"id": job_id, "accountId": running.ctx.account, "data": told}}
    await running.client("lambda").invoke(
        FunctionName=running.configuration["FunctionName"],
        InvocationType="Event",
        Payload=json.dumps(event).encode(),
    )


def data(running: Running) -> dict[str, Any]:
    """What a job tells its function."""
    key = running.store(running.region).get("encryptionKey")
    return {
        "actionConfiguration": {"configuration": running.configuration},
        "inputArtifacts": [_artifact(*one) for one in running.inputs],
        "outputArtifacts": [
            _artifact(*running.output(one["name"])) for one in running.action["outputArtifacts"]
        ],
        **({"encryptionKey": key} if key else {}),
    }


def _credentials(running: Running) -> dict[str, str]:
    """Of the pipeline's role, to read and to write the artifacts with."""
    issued = running.ctx.engine.identity.role_credentials(
        running.pipeline["roleArn"], "codepipeline.amazonaws.com", f"job-{running.x.token('job')[:16]}"
    )
    return {
        "accessKeyId": issued["AccessKeyId"],
        "secretAccessKey": issued["SecretAccessKey"],
        "sessionToken": issued["Token"],
    }


def _artifact(name: str, bucket: str, key: str) -> dict[str, Any]:
    location = {"type": "S3", "s3Location": {"bucketName": bucket, "objectKey": key}}
    return {"name": name, "revision": None, "location": location}


PROVIDER = ActionProvider(
    type=ActionTypeId("Invoke", "AWS", "Lambda"),
    inputs=(0, 5),
    outputs=(0, 5),
    properties=(Property("FunctionName", True), Property("UserParameters")),
    run=_run,
    timeout=24 * HOUR,
)
