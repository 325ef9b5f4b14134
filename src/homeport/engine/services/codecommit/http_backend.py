"""Git's own smart HTTP server (`git http-backend`) behind ASGI: CGI, streamed in both directions.

https://git-scm.com/docs/git-http-backend
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from homeport.engine.services.codecommit.git import git_environment

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CHUNK = 64 * 1024
SERVICES = {"git-upload-pack": "GitPull", "git-receive-pack": "GitPush"}
"""The git services, and the IAM action of CodeCommit that allows each."""


def requested_service(path: str, query: str) -> str | None:
    """Which git service a request belongs to; None when it is none of smart HTTP's three requests."""
    if path == "/info/refs":
        name = dict(part.partition("=")[::2] for part in query.split("&")).get("service")
        return name if name in SERVICES else None
    return path[1:] if path[1:] in SERVICES else None


async def serve(
    repository: Path, path: str, scope: Message, receive: Receive, send: Send, pusher: str
) -> None:
    """Answer one request (`/info/refs`, `/git-upload-pack`, `/git-receive-pack`) of the repository."""
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=_environment(repository, path, scope, pusher),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=CHUNK,
    )
    feeding = asyncio.create_task(_feed(process, receive))
    complaints = asyncio.create_task(_complaints(process))
    try:
        await _answer(process, send)
        await process.wait()
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.terminate()
            await process.wait()
        await asyncio.gather(feeding, complaints, return_exceptions=True)


def _environment(repository: Path, path: str, scope: Message, pusher: str) -> dict[str, str]:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    environment = {
        **git_environment(),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}{path}",
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REQUEST_METHOD": scope["method"],
        "CONTENT_TYPE": headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_ADDR": (scope.get("client") or ("127.0.0.1",))[0],
        "REMOTE_USER": pusher,
        "GIT_COMMITTER_NAME": pusher or "anonymous",
        "GIT_COMMITTER_EMAIL": "git@homeport.invalid",
        "PUSHER": pusher,
    }
    if "content-length" in headers:
        environment["CONTENT_LENGTH"] = headers["content-length"]
    return environment


async def _feed(process: asyncio.subprocess.Process, receive: Receive) -> None:
    """Hand the request's body over; when the client goes away before its end, so does the process."""
    assert process.stdin
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                if process.returncode is None:
                    process.terminate()
                return
            if body := message.get("body"):
                process.stdin.write(body)
                await process.stdin.drain()
            if not message.get("more_body"):
                process.stdin.close()
                # What follows can only be the client's leaving, which must not end a push that it sent whole.
                return
    except (BrokenPipeError, ConnectionResetError):
        return


async def _answer(process: asyncio.subprocess.Process, send: Send) -> None:
    assert process.stdout
    status, headers = 200, []
    while (line := (await process.stdout.readline()).strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    if not headers and process.stdout.at_eof():
        status, headers = 500, [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _complaints(process: asyncio.subprocess.Process) -> None:
    assert process.stderr
    while line := await process.stderr.readline():
        log.debug("git http-backend: %s", line.decode(errors="replace").rstrip())
