"""How long an invocation takes, cold (a container is made) and warm, beside what Docker needs to run a container.

python -m bench.functions [invocations]
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from homeport.pytest_plugin import RunningEngine

IMAGE = "homeport/lambda:bookworm"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_SOURCES = {
    "python3.12": ("index.py", "handler = lambda event, context: event"),
    "nodejs20.x": ("index.js", "exports.handler = async (event) => event;"),
}


def main(count: int = 5) -> dict[str, Any]:
    """Measure, and return the numbers."""
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            found: dict[str, Any] = {}
            role = engine.client("iam").create_role(
                RoleName="function", AssumeRolePolicyDocument=json.dumps(_TRUST)
            )["Role"]["Arn"]
            for runtime in _SOURCES:
                found |= _measure(engine, runtime, role, count)
            found["docker run of `true`, ms"] = _milliseconds([_docker() for _ in range(count)])
            return found
        finally:
            engine.reset()
            engine.stop()


def _measure(engine: RunningEngine, runtime: str, role: str, count: int) -> dict[str, Any]:
    functions = engine.client("lambda")
    file, source = _SOURCES[runtime]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(file, source)
    name = runtime.replace(".", "-")
    functions.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    cold, warm = [], []
    for number in range(count + 1):
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"N": str(number)}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        cold.append(_invoke(functions, name))
        warm += [_invoke(functions, name) for _ in range(10)]
    return {
        f"{runtime}, cold, ms": _milliseconds(cold[1:]),  # the first one makes the network, too
        f"{runtime}, warm, ms": _milliseconds(warm),
    }


def _invoke(functions: Any, name: str) -> float:
    began = time.perf_counter()
    answer = functions.invoke(FunctionName=name, Payload=b"1")
    assert answer["Payload"].read() == b"1"
    return time.perf_counter() - began


def _docker() -> float:
    began = time.perf_counter()
    subprocess.run(["docker", "run", "--rm", IMAGE, "true"], check=True, capture_output=True)
    return time.perf_counter() - began


def _milliseconds(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 1)


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:])), indent=2))
