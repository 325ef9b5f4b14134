"""Asking a task what its load balancer asks it, to tell what it answers: Envoy says only that a check failed."""

from __future__ import annotations

import asyncio
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire.errors import AwsError


async def answer(ctx: Context, row: Body, group: str, port: int) -> str:
    """In the words of a target's health: `Health checks failed with these codes: [404]`, `Request timed out`;
    empty when it cannot be told."""
    try:
        found = await ctx.client("elbv2", as_service=True).describe_target_groups(TargetGroupArns=[group])
    except AwsError:
        return ""
    settings = found["TargetGroups"][0]
    if settings.get("HealthCheckProtocol") != "HTTP" or settings.get("ProtocolVersion") == "GRPC":
        return ""
    if settings.get("HealthCheckPort", "traffic-port") != "traffic-port":
        port = int(settings["HealthCheckPort"])
    try:
        async with asyncio.timeout(settings["HealthCheckTimeoutSeconds"]):
            status = await _status(row["address"], port, settings["HealthCheckPath"])
    except TimeoutError:
        return "Request timed out"
    except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
        return ""
    return f"Health checks failed with these codes: [{status}]"


async def _status(address: Any, port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
        writer.write(f"{request}Connection: close\r\n\r\n".encode())
        line = await reader.readuntil(b"\r\n")
        return int(line.split()[1])
    finally:
        writer.close()
