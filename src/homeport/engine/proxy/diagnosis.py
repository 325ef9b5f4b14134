"""Why does a target fail its health check? One question of our own, put into words.

Envoy tells the kind of failure only. A user needs the status code, or that nothing listens on the port.
"""

from __future__ import annotations

import asyncio
import ssl

from homeport.engine.proxy.clusters import status_ranges
from homeport.engine.proxy.model import HealthCheck, Target, TargetGroup


async def diagnose(group: TargetGroup, check: HealthCheck, address: str, port: int) -> str | None:
    """What the target answers to a health check now; None when that explains nothing."""
    try:
        status = await asyncio.wait_for(_ask(group, check, address, port), check.timeout)
    except TimeoutError:
        return f"Request timed out: {address}:{port} did not answer {check.path} within {check.timeout:g} s"
    except ConnectionRefusedError:
        return f"Health checks failed: connection to {address}:{port} refused, nothing listens there"
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        return f"Health checks failed: {address}:{port} {_words(error)}"
    return f"Health checks failed with these codes: [{status}]" if status else None


async def is_ready(group: TargetGroup, check: HealthCheck, target: Target) -> bool:
    """Whether the target would pass its health check now; for HTTP/2 and gRPC, whether it listens. Raises
    ConnectionRefusedError when nothing listens."""
    try:
        port = target.health_check_port or target.port
        status = await asyncio.wait_for(_ask(group, check, target.address, port), check.timeout)
    except ConnectionRefusedError:
        raise
    except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError):
        return False
    return status is None or any(start <= int(status) < end for start, end in status_ranges(check.matcher))


async def _ask(group: TargetGroup, check: HealthCheck, address: str, port: int) -> str | None:
    secure = check.protocol == "HTTPS"
    reader, writer = await asyncio.open_connection(address, port, ssl=_trusting() if secure else None)
    try:
        if check.protocol == "TCP" or group.protocol_version != "HTTP1":
            return None
        request = (
            f"GET {check.path} HTTP/1.1\r\nHost: {address}:{port}\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\nConnection: close\r\n\r\n"
        )
        writer.write(request.encode())
        line = (await reader.readuntil(b"\n")).decode(errors="replace").split()
        if len(line) < 2 or not line[0].startswith("HTTP/"):
            raise ValueError("does not speak HTTP")
        return line[1]
    finally:
        writer.close()


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _words(error: Exception) -> str:
    if isinstance(error, asyncio.IncompleteReadError | ConnectionResetError):
        return "closed the connection without an answer"
    return str(error)
