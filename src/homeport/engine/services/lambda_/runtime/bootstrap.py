"""The runtime interface client of Python functions. It runs inside the container, on the container's Python.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from __future__ import annotations

import http.client
import importlib
import json
import logging
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

API = "/2018-06-01/runtime"
NEWLINE = "\x1e"
"""Stands for a newline within one log event, and begins an event that has some."""
DONE = "\x1f"
"""Begins the line that ends an invocation's log: the request's id, and the KB of memory used at most."""

Handler = Callable[[Any, Any], Any]


def main() -> None:
    """Answer invocations until the container is removed."""
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], "/opt/python", "/var/runtime"]
    _log_requests()
    try:
        handler = _load(os.environ["_HANDLER"])
    except Exception as error:
        fault = _fault(error, "")
        _say(f"[ERROR] {fault['errorType']}: {fault['errorMessage']}\n{_traceback(fault['stackTrace'])}")
        _post("/init/error", fault)
        sys.exit(1)
    while True:
        _answer(handler)


def _answer(handler: Handler) -> None:
    status, headers, body = _call("GET", "/invocation/next")
    if status != 200:
        sys.exit(f"the runtime API answered {status}")
    request_id = headers["lambda-runtime-aws-request-id"]
    _Request.id = request_id
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    path, answer = "response", b""
    try:
        result = handler(json.loads(body), Context(headers))
        answer = _marshalled(result)
    except Exception as error:
        fault = _fault(error, request_id)
        _say(f"[ERROR] {fault['errorType']}: {fault['errorMessage']}\n{_traceback(fault['stackTrace'])}")
        path, answer = "error", json.dumps(fault).encode()
    sys.stdout.flush()
    sys.stderr.flush()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    os.write(1, f"{DONE}{request_id} {most}\n".encode())
    _call("POST", f"/invocation/{request_id}/{path}", answer)


class Context:
    """The second argument of a handler.
    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers: dict[str, str]) -> None:
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = _client_context(headers.get("lambda-runtime-client-context"))
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message: str) -> None:
        """Write to the log."""
        _say(str(message))


def _client_context(text: str | None) -> Any:
    if not text:
        return None
    given = json.loads(text)
    return SimpleNamespace(client=given.get("client"), custom=given.get("custom"), env=given.get("env"))


class _Fault(Exception):
    """What AWS's runtime says of a handler that cannot be loaded, or of its answer."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


def _load(name: str) -> Handler:
    module_name, dot, function = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise _Fault("Runtime.MalformedHandlerName", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise _Fault(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise _Fault("Runtime.UserCodeSyntaxError", message, trace) from None
    handler = getattr(module, function, None)
    if handler is None:
        raise _Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    return handler


def _marshalled(result: Any) -> bytes:
    try:
        return json.dumps(result).encode()
    except (TypeError, ValueError) as error:
        raise _Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def _fault(error: Exception, request_id: str) -> dict[str, Any]:
    if isinstance(error, _Fault):
        kind, trace = error.kind, error.trace
    else:
        kind = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        trace = traceback.format_list([frame for frame in frames if frame.filename != __file__])
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _traceback(lines: Iterable[str]) -> str:
    return "Traceback (most recent call last):\n" + "".join(lines).rstrip("\n")


class _Request(logging.Filter):
    """Tells log records which request they belong to."""

    id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.id
        return True


class _Events(logging.Handler):
    """Writes each record as one event."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(self.format(record))


def _log_requests() -> None:
    handler = _Events()
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_Request())
    logging.getLogger().addHandler(handler)


def _say(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    event = f"{NEWLINE}{text.replace(chr(10), NEWLINE)}" if "\n" in text else text
    os.write(1, f"{event}\n".encode(errors="replace"))


def _post(path: str, fault: dict[str, Any]) -> None:
    _call(
        "POST", path, json.dumps(fault).encode(), {"Lambda-Runtime-Function-Error-Type": fault["errorType"]}
    )


def _call(
    method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        sent = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, f"{API}{path}", body, sent)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return response.status, found, response.read()
    finally:
        connection.close()


if __name__ == "__main__":
    main()
