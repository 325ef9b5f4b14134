"""Functions of the managed runtimes: made, invoked, changed, deleted."""

from __future__ import annotations

import base64
import json

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import call, create, log_of, role, updated
from tests.waiting import until

GREET = """
def handler(event, context):
    print("hello from the log")
    return {"greeting": "hello " + event["name"], "left": context.get_remaining_time_in_millis() > 1000}
"""


def test_a_python_function_answers_and_logs(engine: RunningEngine) -> None:
    role(engine)
    arn = create(engine, GREET)
    assert arn == f"arn:aws:lambda:{engine.region}:{engine.account}:function:f"
    assert call(engine, {"name": "ada"}) == {"greeting": "hello ada", "left": True}
    text = until(lambda: "REPORT" in log_of(engine) and log_of(engine))
    lines = text.splitlines()
    assert lines[0].startswith("INIT_START Runtime Version: Python 3.11")
    assert lines[1].startswith("START RequestId: ") and lines[1].endswith(" Version: $LATEST")
    assert lines[2] == "hello from the log"
    assert lines[3].startswith("END RequestId: ")
    assert "Memory Size: 128 MB" in lines[4] and "Init Duration" in lines[4]


def test_a_node_function_answers(engine: RunningEngine) -> None:
    role(engine)
    source = """
    const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');
    exports.handler = async (event, context) => {
      console.log('two\\nlines', event);
      const who = await new STSClient({}).send(new GetCallerIdentityCommand({}));
      return { name: context.functionName, got: event, who: who.Arn.split(':').pop() };
    };
    """
    create(engine, source, Runtime="nodejs20.x")
    assert call(engine, {"a": 1}) == {"name": "f", "got": {"a": 1}, "who": "assumed-role/function/f"}
    text = until(lambda: "REPORT" in log_of(engine) and log_of(engine))
    assert "\tINFO\ttwo\nlines { a: 1 }" in text


def test_errors_are_told_as_on_aws(engine: RunningEngine) -> None:
    role(engine)
    source = """
def handler(event, context):
    raise ValueError("bad " + event["what"])
"""
    create(engine, source)
    answer = engine.client("lambda").invoke(FunctionName="f", Payload=b'{"what": "luck"}', LogType="Tail")
    assert answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled"
    fault = json.loads(answer["Payload"].read())
    assert (fault["errorType"], fault["errorMessage"]) == ("ValueError", "bad luck")
    assert fault["stackTrace"] == [
        '  File "/var/task/index.py", line 3, in handler\n    raise ValueError("bad " + event["what"])\n'
    ]
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "[ERROR] ValueError: bad luck\nTraceback (most recent call last):" in tail
    assert f"END RequestId: {fault['requestId']}" in tail


def test_a_function_that_cannot_be_loaded_says_why(engine: RunningEngine) -> None:
    role(engine)
    create(engine, "import nothing_of_this_name")
    fault = call(engine)
    assert fault["errorType"] == "Runtime.ImportModuleError"
    assert fault["errorMessage"] == "Unable to import module 'index': No module named 'nothing_of_this_name'"
    engine.client("lambda").update_function_configuration(FunctionName="f", Handler="json.nothing")
    updated(engine)
    assert call(engine)["errorMessage"] == "Handler 'nothing' missing on module 'json'"


def test_a_function_that_takes_too_long_or_too_much_is_ended(engine: RunningEngine) -> None:
    role(engine)
    source = """
import os, time
def handler(event, context):
    if event == "sleep":
        time.sleep(30)
    if event == "exit":
        os._exit(3)
    return len(bytearray(event * 1024 * 1024)) if event else os.getpid()
"""
    create(engine, source, Timeout=1)
    first = call(engine)
    assert call(engine) == first, "the environment is used again"
    fault = call(engine, "sleep")
    assert fault["errorType"] == "Sandbox.Timedout"
    assert fault["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert call(engine, "exit")["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    engine.client("lambda").update_function_configuration(FunctionName="f", Timeout=30)
    updated(engine)
    assert call(engine, 1000)["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert "Error Type: Runtime.OutOfMemory" in until(
        lambda: "OutOfMemory" in log_of(engine) and log_of(engine)
    )
