"""Versions of a service, good and bad, that answer hundreds of requests a second with little of the machine."""

from __future__ import annotations

import asyncio
from typing import Any

from homeport.engine.containers import base_images, recipes
from homeport.engine.containers.runtime import Runtime

PORT = 8080
HEALTH = "/health"
SLOW = "/slow"
_SERVER = f"""
import asyncio, os, signal
VERSION, BEHAVIOUR = os.environ["VERSION"].encode(), os.environ["BEHAVIOUR"]
if BEHAVIOUR == "crashes":
    raise SystemExit("no database")
served = 0
class Answers(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.rest = transport, b""
    def data_received(self, data):
        self.rest += data
        while b"\\r\\n\\r\\n" in self.rest:
            head, _, self.rest = self.rest.partition(b"\\r\\n\\r\\n")
            self.answer(head)
    def answer(self, head):
        global served
        path = head.split(b" ", 2)[1]
        if path == b"{HEALTH}":
            return self.write(b"200 OK")
        served += 1
        if BEHAVIOUR == "dies" and served > 50:
            os._exit(1)
        status = b"500 Oh" if BEHAVIOUR == "errors" else b"200 OK"
        if path == b"{SLOW}":
            return asyncio.get_running_loop().call_later(2, self.write, status)
        self.write(status)
    def write(self, status):
        self.transport.write(
            b"HTTP/1.1 %b\\r\\ncontent-length: %d\\r\\n\\r\\n%b" % (status, len(VERSION), VERSION)
        )
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "0.0.0.0", {PORT}, backlog=1000)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
asyncio.run(main())
"""
COMMAND = ["python3", "-c", _SERVER]


def image() -> str:
    """The image of all versions; it is made when Docker does not have it."""

    async def ensure() -> str:
        runtime = Runtime("bench")
        try:
            return await base_images.ensure(runtime.images, recipes.PYTHON)
        finally:
            await runtime.close()

    return asyncio.run(ensure())


def environment(version: str, behaviour: str = "answers") -> dict[str, str]:
    """The environment variables of a version's container."""
    return {"VERSION": version, "BEHAVIOUR": behaviour}


def task_definition(version: str, behaviour: str = "answers") -> dict[str, Any]:
    """What RegisterTaskDefinition takes for a version whose answers are its name.

    `behaviour`: `answers`, `errors` (answers 500, but is healthy), `crashes` (at its start) or `dies` (after fifty
    requests). At `/slow` the answer takes two seconds."""
    told = environment(version, behaviour)
    container = {
        "name": "app",
        "image": recipes.PYTHON.name,
        "command": COMMAND,
        "environment": [{"name": name, "value": value} for name, value in told.items()],
        "portMappings": [{"containerPort": PORT}],
        "stopTimeout": 2,
    }
    return {
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024",
        "memory": "2048",
        "containerDefinitions": [container],
    }
