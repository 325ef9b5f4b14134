"""Why does a target not answer? What the task's processes really listen on, read from the kernel."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.services.context import Context
from homeport.engine.services.ecs.observation import docker_name
from homeport.engine.services.ecs.task_rows import Body

_LISTEN = "0A"
_TABLES = ("tcp", "tcp6")


class Socket(NamedTuple):
    """A listening socket: its port, and whether only the task itself can reach it."""

    port: int
    local: bool


async def explain(ctx: Context, row: Body, port: int) -> str:
    """A sentence on what listens instead of the port that the load balancer asks; empty when something listens on
    it, or the kernel does not tell."""
    sockets = await _sockets(ctx, row)
    if sockets is None:
        return ""
    reachable = sorted({socket.port for socket in sockets if not socket.local})
    local = sorted({socket.port for socket in sockets if socket.local} - set(reachable))
    if port in reachable:
        return ""
    if port in local:
        return (
            f"Port {port} is listened on at 127.0.0.1 only, where the load balancer cannot reach it: listen on "
            "0.0.0.0."
        )
    if reachable:
        listed = ", ".join(map(str, reachable))
        return (
            f"Nothing listens on port {port}; the task listens on port {listed}: correct the container port."
        )
    return f"Nothing in the task listens on port {port} yet, nor on any other."


async def _sockets(ctx: Context, row: Body) -> list[Socket] | None:
    for name in row["containers"]:
        inspected = await ctx.engine.docker.inspect(docker_name(ctx, row, name))
        if inspected is None or not inspected["State"]["Running"]:
            continue
        text = _from_host(inspected["State"]["Pid"]) or await _from_inside(ctx, inspected["Id"])
        if text:
            return parse(text)
    return None


def _from_host(pid: int) -> str:
    try:
        return "".join(Path(f"/proc/{pid}/net/{table}").read_text() for table in _TABLES)
    except OSError:
        return ""


async def _from_inside(ctx: Context, id: str) -> str:
    """Where the daemon is on another machine, or the engine not root, the container tells itself."""
    try:
        run = await ctx.engine.docker.exec(id, ["cat", *(f"/proc/net/{table}" for table in _TABLES)])
        output = b"".join([chunk async for chunk in run.output()])
        await run.close()
    except (DockerRefused, asyncio.IncompleteReadError):
        return ""
    return output.decode("ascii", "replace")


def parse(text: str) -> list[Socket]:
    """The listening sockets of /proc/net/tcp and tcp6. https://docs.kernel.org/networking/proc_net_tcp.html"""
    found = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[3] != _LISTEN:
            continue
        address, _, port = fields[1].partition(":")
        local = (
            len(address) == 8 and address.endswith("7F")
        ) or address == "00000000000000000000000001000000"
        # Docker's own resolver listens on 127.0.0.11 in every container
        if address != "0B00007F":
            found.append(Socket(int(port, 16), local))
    return found
