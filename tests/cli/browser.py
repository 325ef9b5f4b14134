"""A browser as far as the console needs one: a cookie, the headers that browsers send, and streams of events."""

from __future__ import annotations

import html
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homeport.cli.console.app import Console, routes
from homeport.cli.console.guard import Guard
from homeport.cli.console.server import server
from homeport.cli.target import Target
from homeport.pytest_plugin import RunningEngine

TOKEN = "the-token"


class Served:
    """A console on a port of its own, in a thread."""

    def __init__(self, target: Target, pipeline: str | None = None) -> None:
        self.console = Console(target, pipeline, pace=0.05)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._server = server(Guard(routes(self.console), "127.0.0.1", TOKEN, "the-ticket"))
        self._thread = threading.Thread(target=self._server.run, args=[[self._listener]])
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._listener.close()


class Answer:
    """What was answered, read to its end."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """A person's browser, once it has opened the address that the terminal shows."""

    def __init__(self, served: Served, token: str = TOKEN) -> None:
        self._port = served.port
        self._streams: list[Stream] = []
        self.root = self.cookie = ""
        self.entered = self.get(f"/?token={token}")
        if found := re.search(r"url=(/[\w-]+)/", self.entered.text):
            self.root = found[1]
            self.cookie = self.entered.headers["Set-Cookie"].partition(";")[0]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def get(self, path: str, **headers: str) -> Answer:
        """Headers are written with underscores; an empty one is not sent."""
        connection, answer = self._ask("GET", path, None, headers)
        try:
            return Answer(answer)
        finally:
            connection.close()

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        given = {"Origin": self.origin, "Content-Type": "application/json", **headers}
        connection, answer = self._ask("POST", path, json.dumps(body), given)
        try:
            return Answer(answer)
        finally:
            connection.close()

    def do(self, act: str, **fields: str) -> Any:
        """Do something, confirmed."""
        return self.post(f"/do/{act}", {"confirmed": "yes", **fields}).json

    def stream(self, path: str) -> Stream:
        """Listen to events."""
        connection, answer = self._ask("GET", path, None, {})
        self._streams.append(Stream(connection, answer))
        return self._streams[-1]

    def log(self, panel: str, name: str = "") -> list[str]:
        """The lines of a log that a panel offers, and why there are no more if something is told."""
        named = f' data-name="{name}"' if name else ""
        found = re.search(rf'data-log="([^"]+)"{named}', panel)
        assert found, panel
        lines: list[str] = []
        for event, data in self.stream(f"/{found[1]}").events():
            if event == "end":
                return [*lines, data["why"]] if data["why"] else lines
            lines += data if event == "lines" else []
        raise AssertionError(f"the stream has ended after {lines}")

    def close(self) -> None:
        """Close what is open."""
        for each in self._streams:
            each.close()

    def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        own = {"Cookie": self.cookie, **headers}
        sent = {name.replace("_", "-"): value for name, value in own.items() if value}
        connection.request(method, self.root + path, body, sent)
        return connection, connection.getresponse()


class Stream:
    """Events as they come, and what the panels show by them."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        assert answer.status == 200, answer.read()
        self._connection = connection
        self._answer = answer
        self.panels: dict[str, str] = {}

    def events(self) -> Iterator[tuple[str, Any]]:
        name = ""
        for line in self._answer:
            key, _, value = line.decode().rstrip("\n").partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                yield name, json.loads(value)

    def until(self, panel: str, good: Callable[[str], object], seconds: float = 90) -> str:
        """The HTML of a panel, once it is as wanted."""
        deadline = time.monotonic() + seconds
        if panel in self.panels and good(self.panels[panel]):
            return self.panels[panel]
        for name, data in self.events():
            if name == "panel":
                self.panels[data["name"]] = data["html"]
                if data["name"] == panel and good(data["html"]):
                    return str(data["html"])
            assert time.monotonic() < deadline, self.panels.get(panel)
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


def form(panel: str, act: str) -> dict[str, str]:
    """The hidden fields of a form that a panel offers."""
    found = re.search(rf'<form class="act"[^>]*action="do/{act}".*?</form>', panel, re.DOTALL)
    assert found, f"no form {act} in: {panel}"
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', found[0])
    return {name: html.unescape(value) for name, value in fields}


@pytest.fixture
def served(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A console on the engine of the test."""
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)
    served = Served(Target())
    yield served
    served.stop()


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    browser = Browser(served)
    yield browser
    browser.close()
