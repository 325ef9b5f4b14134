"""Functions from container images."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import call, create, log_of, role, updated
from tests.waiting import until

CLIENT = """
import json, os, sys, urllib.request
api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
print("an own runtime", flush=True)
while True:
    with urllib.request.urlopen(api + "/next") as given:
        id, event = given.headers["Lambda-Runtime-Aws-Request-Id"], json.load(given)
    answer = json.dumps({"handler": sys.argv[1], "event": event}).encode()
    urllib.request.urlopen(f"{api}/{id}/response", answer).close()
"""
DOCKERFILE = """
FROM homeport/lambda:bookworm
COPY client.py /client.py
ENTRYPOINT ["python3", "/client.py"]
CMD ["{handler}"]
"""


def push(engine: RunningEngine, folder: Path, handler: str) -> str:
    """Build and push an image with a runtime interface client; returns its URI."""
    image = f"127.0.0.1:{engine.port}/fn:latest"
    (folder / "client.py").write_text(CLIENT)
    (folder / "Dockerfile").write_text(DOCKERFILE.format(handler=handler))
    password = engine.aws("ecr", "get-login-password").stdout
    docker = ["docker", "--config", str(folder / "config")]
    for command in (
        [*docker, "login", "-u", "AWS", "--password-stdin", f"127.0.0.1:{engine.port}"],
        [*docker, "build", "-q", "-t", image, str(folder)],
        [*docker, "push", "-q", image],
        [*docker, "rmi", image],
    ):
        done = subprocess.run(command, input=password, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com/fn:latest"


def test_an_image_with_a_runtime_of_its_own_answers(engine: RunningEngine, tmp_path: Path) -> None:
    role(engine)
    create(engine, "def handler(event, context): pass", "zip")  # so that the base image is there
    engine.client("ecr").create_repository(repositoryName="fn")
    uri = push(engine, tmp_path, "app.handler")
    functions = engine.client("lambda")
    functions.create_function(
        FunctionName="f",
        PackageType="Image",
        Code={"ImageUri": uri},
        Role=f"arn:aws:iam::{engine.account}:role/function",
        Timeout=20,
        ImageConfig={"Command": ["other.handler"]},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 1})
    code = functions.get_function(FunctionName="f")["Code"]
    assert code["ImageUri"] == uri and "@sha256:" in code["ResolvedImageUri"]
    assert call(engine, {"n": 1}) == {"handler": "other.handler", "event": {"n": 1}}
    until(lambda: "an own runtime" in log_of(engine))
    report = until(lambda: re.search(r"Max Memory Used: (\d+) MB", log_of(engine)))
    assert report and 5 < int(report[1]) <= 128

    functions.update_function_configuration(FunctionName="f", ImageConfig={})
    updated(engine)
    assert call(engine, {"n": 2})["handler"] == "app.handler"
    push(engine, tmp_path, "new.handler")
    assert call(engine)["handler"] == "app.handler", "a function keeps the image that the tag meant"
    image = f"127.0.0.1:{engine.port}/{code['ResolvedImageUri']}"
    subprocess.run(["docker", "rmi", "--force", image], check=True, capture_output=True)
    functions.update_function_configuration(FunctionName="f", ImageConfig={"Command": ["other.handler"]})
    updated(engine)
    assert call(engine)["handler"] == "other.handler", "an image that somebody removed is pulled again"
    functions.update_function_configuration(FunctionName="f", ImageConfig={})
    functions.update_function_code(FunctionName="f", ImageUri=uri)
    updated(engine)
    assert call(engine)["handler"] == "new.handler"


def test_an_image_that_is_not_there_is_refused(engine: RunningEngine) -> None:
    arn = role(engine)
    engine.client("ecr").create_repository(repositoryName="fn")
    uri = f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com/fn:none"
    with pytest.raises(ClientError, match=f"Source image {uri} does not exist"):
        engine.client("lambda").create_function(
            FunctionName="f", PackageType="Image", Code={"ImageUri": uri}, Role=arn
        )
