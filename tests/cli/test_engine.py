"""The engine's commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.cli.deploy import clone_url
from homeport.cli.target import Target
from homeport.manifest.reader import parse
from homeport.pytest_plugin import RunningEngine


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "homeport.cli.engine", *words], capture_output=True, text=True
    )


def test_env_gives_the_shell_what_aws_clients_need(engine: RunningEngine) -> None:
    done = command("env", "--data", str(engine.data))

    lines = dict(line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines())
    assert lines["AWS_ENDPOINT_URL"] == engine.url
    assert lines["AWS_ACCOUNT_ID"] == "123456789012"
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} <= set(lines)
    assert lines["AWS_DISABLE_HOST_PREFIX_INJECTION"] == "true"
    assert lines["AWS_ENDPOINT_URL_S3_CONTROL"] == f"http://account@localhost:{engine.port}"


def test_a_second_engine_on_the_same_data_is_refused_in_one_sentence(engine: RunningEngine) -> None:
    done = command("start", "--data", str(engine.data), "--port", "0")

    assert done.returncode == 1
    assert "Another engine already runs on the data folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told_with_what_to_do(engine: RunningEngine, tmp_path: Path) -> None:
    done = command("start", "--data", str(tmp_path / "other"), "--port", str(engine.port))

    assert done.returncode == 1
    assert "--port" in done.stderr


def test_an_engine_says_when_docker_does_not_answer_and_stops(
    own_engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_engine.start()

    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    running = command("start", "--detach", "--data", str(own_engine.data), "--output", "json")
    stopped = command("stop", "--data", str(own_engine.data), "--output", "json")
    assert json.loads(running.stdout)["url"] == own_engine.url
    assert json.loads(stopped.stdout)["stopped"] is True
    again = command("stop", "--data", str(own_engine.data))
    monkeypatch.undo()

    assert "Docker does not answer" in running.stderr
    assert again.returncode == 1
    assert "homeport engine start" in again.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "99999"], "65535"),
        (["--account", "12"], "twelve digits"),
        (["--region", "mars"], "us-east-1"),
        (["--data", "/proc/nowhere"], "Another folder:  --data"),
    ],
)
def test_a_setting_that_cannot_be_is_said_before_the_start(words: list[str], said: str) -> None:
    refused = command("start", "--detach", *words)

    assert refused.returncode in (1, 2)
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_reset_empties_the_engine_and_tells_programs_so(own_engine: RunningEngine) -> None:
    own_engine.start()
    own_engine.client("s3").create_bucket(Bucket="things")

    asked = command("reset", "--data", str(own_engine.data))
    kept = own_engine.client("s3").list_buckets()["Buckets"]
    emptied = command("reset", "--data", str(own_engine.data), "--yes", "--output", "json")

    assert (asked.returncode, len(kept)) == (1, 1)
    assert json.loads(emptied.stdout) == {"url": own_engine.url, "empty": True}
    assert own_engine.client("s3").list_buckets()["Buckets"] == []


def test_pushes_go_where_the_engine_is_now(own_engine: RunningEngine) -> None:
    own_engine.start()
    before = own_engine.client("codecommit").create_repository(repositoryName="shop")["repositoryMetadata"]
    own_engine.stop()
    own_engine.start("--port", "0")

    outputs = {"CloneUrl": before["cloneUrlHttp"]}
    url = clone_url(Target(data=own_engine.data), parse("app: shop"), outputs)

    assert url != before["cloneUrlHttp"]
    assert f":{own_engine.port}/" in str(url)
