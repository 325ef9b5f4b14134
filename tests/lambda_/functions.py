"""Functions for tests: packed, made, and waited for."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from homeport.pytest_plugin import RunningEngine

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def archive(files: Mapping[str, str]) -> bytes:
    """A zip archive of files by their names."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return written.getvalue()


def role(
    engine: RunningEngine, name: str = "function", service: str = "lambda.amazonaws.com", *policies: str
) -> str:
    """A role that a service may assume; by default it may write logs."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    iam = engine.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for policy in policies or (LOGS,):
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return str(arn)


def create(engine: RunningEngine, source: str, name: str = "f", **settings: Any) -> str:
    """Make a Python function (Node with Runtime="nodejs…"), wait until it is active, return its ARN."""
    node = settings.get("Runtime", "").startswith("nodejs")
    suffix = "js" if node else "py"
    wanted = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Timeout": 60,
        "Code": {"ZipFile": archive({f"index.{suffix}": source})},
        **settings,
    }
    wanted.setdefault("Role", f"arn:aws:iam::{engine.account}:role/function")
    functions = engine.client("lambda")
    made = functions.create_function(FunctionName=name, **wanted)
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return str(made["FunctionArn"])


def call(engine: RunningEngine, event: Any = None, name: str = "f", **how: Any) -> Any:
    """What a function returns; an error's structure, too."""
    answer = engine.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **how)
    return json.loads(answer["Payload"].read())


def log_of(engine: RunningEngine, name: str = "f") -> str:
    """Everything that a function has written."""
    logs = engine.client("logs")
    group = f"/aws/lambda/{name}"
    try:
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return ""
    lines = []
    for stream in streams:
        found = logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )
        lines += [event["message"] for event in found["events"]]
    return "\n".join(lines)


def updated(engine: RunningEngine, name: str = "f") -> None:
    """Wait until a change is done."""
    waiter = engine.client("lambda").get_waiter("function_updated_v2")
    waiter.wait(FunctionName=name, WaiterConfig={"Delay": 1})
