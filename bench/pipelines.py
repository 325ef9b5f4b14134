"""What an execution of a pipeline (CodeCommit to S3, no build) costs the engine: how long one takes, and how many
end in a second when 10, 100 and 1,000 pipelines start at once, with the CPU time that each took and the memory.

python -m bench.pipelines [most pipelines]
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from homeport.pytest_plugin import RunningEngine

BUCKET = "artifacts"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codepipeline.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def main(most: int = 100) -> dict[str, Any]:
    """Measure, and return the numbers."""
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            return _measure(engine, most)
        finally:
            engine.stop()


def _measure(engine: RunningEngine, most: int) -> dict[str, Any]:
    role = _prepare(engine)
    client = engine.client("codepipeline")
    numbers: dict[str, Any] = {}
    made = 0
    for count in (count for count in (1, 10, 100, 1000) if count <= most):
        for number in range(made, count):
            client.create_pipeline(pipeline=_pipeline(f"p{number}", role))
        made = count
        _wait(client, count)
        repeats = 10 if count == 1 else 1
        runs = [_run(engine, client, count) for _ in range(repeats)]
        seconds, cpu = (statistics.median(values) for values in zip(*runs, strict=True))
        numbers[f"{count} at once"] = {
            "seconds": round(seconds, 2),
            "executions a second": round(count / seconds, 1),
            "CPU milliseconds for each": round(cpu / count * 1000, 1),
            "engine memory, MB": _memory(engine.pid),
        }
    return numbers


def _prepare(engine: RunningEngine) -> str:
    engine.client("s3").create_bucket(Bucket=BUCKET)
    codecommit = engine.client("codecommit")
    codecommit.create_repository(repositoryName="app")
    codecommit.put_file(
        repositoryName="app",
        branchName="main",
        filePath="index.html",
        fileContent=b"hello",
        commitMessage="Hello",
    )
    iam = engine.client("iam")
    role = iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]
    iam.put_role_policy(RoleName="pipeline", PolicyName="all", PolicyDocument=json.dumps(_ALL))
    return str(role["Arn"])


def _pipeline(name: str, role: str) -> dict[str, Any]:
    source = {"RepositoryName": "app", "BranchName": "main", "PollForSourceChanges": "false"}
    deploy = {"BucketName": BUCKET, "Extract": "true", "ObjectKey": name}
    return {
        "name": name,
        "roleArn": role,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [
            {"name": "Source", "actions": [_action("Source", "CodeCommit", source, outputs=["Code"])]},
            {"name": "Deploy", "actions": [_action("Deploy", "S3", deploy, inputs=["Code"])]},
        ],
    }


def _action(
    category: str, provider: str, configuration: dict[str, str], **artifacts: list[str]
) -> dict[str, Any]:
    return {
        "name": category,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
        **{f"{kind[:-1]}Artifacts": [{"name": name} for name in names] for kind, names in artifacts.items()},
    }


def _run(engine: RunningEngine, client: Any, count: int) -> tuple[float, float]:
    """Seconds until the last of one execution of each pipeline has ended, and the engine's CPU seconds."""
    began, cpu = time.monotonic(), _cpu(engine.pid)
    for number in range(count):
        client.start_pipeline_execution(name=f"p{number}")
    _wait(client, count)
    return time.monotonic() - began, _cpu(engine.pid) - cpu


def _wait(client: Any, count: int) -> None:
    left = [f"p{number}" for number in range(count)]
    while left:
        newest = client.list_pipeline_executions(pipelineName=left[-1], maxResults=1)
        status = newest["pipelineExecutionSummaries"][0]["status"]
        if status == "InProgress":
            time.sleep(0.02)
        elif status == "Succeeded":
            left.pop()
        else:
            raise RuntimeError(f"the execution of {left[-1]} is {status}")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:])), indent=2))
