"""A homeport engine for test suites: the fixture `engine`, emptied before each test.

def test_a_bucket(engine):
    engine.client("s3").create_bucket(Bucket="artifacts")
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from homeport.cli.environment import variables

START_SECONDS = 60.0
_MAKING = threading.Lock()
"""Sessions may not make two clients at once."""


@cache
def _session() -> Any:
    """One for all clients: a session reads a service's model once, which takes twenty times as long as a client."""
    import boto3

    return boto3.session.Session()


class RunningEngine:
    """An engine in a process of its own, on a free port and a data folder that the caller owns."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._facts: dict[str, Any] = {}
        self._port = 0

    def start(self, *arguments: str, **environment: str) -> None:
        """Start it (again, on the same port) and wait until it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        announcement = self.data / "engine.json"
        announcement.unlink(missing_ok=True)
        command = [sys.executable, "-m", "homeport.cli.engine", "start", "--data", str(self.data)]
        with (self.data / "engine.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port), *arguments],
                env=os.environ | self.environment | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not announcement.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"the engine did not start:\n{(self.data / 'engine.log').read_text()[-4000:]}"
                )
            time.sleep(0.01)
        self._facts = json.loads(announcement.read_text())
        self._port = self._facts["port"]

    def stop(self) -> None:
        """End it as `homeport engine stop` does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def wait_dead(self, seconds: float = 30.0) -> None:
        """Wait until a failpoint has killed it."""
        assert self._process
        self._process.wait(seconds)

    def _end(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(30)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._facts["pid"]

    @property
    def url(self) -> str:
        return self._facts["url"]

    @property
    def port(self) -> int:
        return self._port

    @property
    def account(self) -> str:
        return self._facts["account"]

    @property
    def region(self) -> str:
        return self._facts["region"]

    @property
    def env(self) -> dict[str, str]:
        """The environment in which the aws cli and other programs use this engine."""
        settings = {
            "AWS_PAGER": "",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        return os.environ | variables(self._facts) | settings

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client; `aws_access_key_id` and the like replace the root user's key."""
        from botocore.config import Config

        keys = {
            "aws_access_key_id": self._facts["access_key_id"],
            "aws_secret_access_key": self._facts["secret_access_key"],
            "region_name": self.region,
            "endpoint_url": self.url,
        }
        config = Config(retries={"max_attempts": 0}).merge(options.pop("config", Config()))
        with _MAKING:
            return _session().client(service, config=config, **{**keys, **options})

    def aws(
        self, *arguments: str, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the aws cli."""
        command = [str(Path(sys.executable).with_name("aws")), *arguments]
        return subprocess.run(command, env=self.env, input=stdin, check=check, capture_output=True, text=True)

    def reset(self) -> None:
        """Empty it."""
        headers = {"x-homeport-token": self._facts["token"]}
        request = urllib.request.Request(f"{self.url}/_homeport/reset", method="POST", headers=headers)
        urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture(scope="session")
def _session_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    engine = RunningEngine(tmp_path_factory.mktemp("homeport"))
    engine.start()
    yield engine
    _clean(engine)


@pytest.fixture
def engine(_session_engine: RunningEngine) -> RunningEngine:
    """An empty engine, shared by the tests of a session."""
    if not _session_engine.alive:
        _session_engine.start()
    _session_engine.reset()
    return _session_engine


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[RunningEngine]:
    """An engine of this test's own, not started yet: it may be killed, armed with failpoints, given options."""
    engine = RunningEngine(tmp_path / "data")
    yield engine
    if engine.alive or (engine.data / "homeport.db").exists():
        _clean(engine)


def _clean(engine: RunningEngine) -> None:
    """Remove what the engine has in Docker, then end it."""
    if not engine.alive:
        engine.start()
    engine.reset()
    engine.stop()
    _remove_network(engine.data)


def _remove_network(data: Path) -> None:
    """The engine keeps its Docker network for its next start; a test's engine has none."""
    import asyncio

    from homeport.engine.config import Config
    from homeport.engine.containers.errors import DockerRefused, DockerUnavailable
    from homeport.engine.containers.runtime import Runtime

    async def remove() -> None:
        runtime = Runtime(Config(data).id)
        try:
            await runtime.networks.remove()
        except (DockerRefused, DockerUnavailable):
            pass  # it was never needed, or something of the test is still in it
        finally:
            await runtime.close()

    asyncio.run(remove())
