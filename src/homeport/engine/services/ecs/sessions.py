"""Sessions of ExecuteCommand: a command in a container, at a WebSocket that speaks Session Manager's data channel,
so that `aws ecs execute-command` with its plugin works.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import shlex
from typing import TYPE_CHECKING, Any

from homeport.engine.containers.errors import DockerRefused, DockerUnavailable
from homeport.engine.containers.exec import Exec
from homeport.engine.services.context import Context
from homeport.engine.services.ecs.tables import SESSIONS
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire import http
from homeport.engine.wire.http import AsgiApp
from homeport.session import messages
from homeport.session.messages import DATA, INPUT, OUTPUT, SIZE, Malformed, Message

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "v1/data-channel"
OPEN_SECONDS = 300.0
"""How long after ExecuteCommand its session can be opened."""
_REFUSED = 4401


def new_session(ctx: Context, container: str, command: str, port: int) -> Body:
    """Make a session for a command in a Docker container: AWS's Session, with the address of its stream."""
    id, token = f"ecs-execute-command-{secrets.token_hex(13)}", secrets.token_urlsafe(48)
    for old in SESSIONS.list(ctx):
        if old["created"] < ctx.now() - OPEN_SECONDS:
            SESSIONS.delete(ctx, old["sessionId"])
    SESSIONS.put(
        ctx,
        {
            "sessionId": id,
            "token": hashlib.sha256(token.encode()).hexdigest(),
            "container": container,
            "command": command,
            "created": ctx.now(),
        },
    )
    url = f"ws://{ctx.engine.config.host}:{port}/{PREFIX}/{id}?role=publish_subscribe"
    return {"sessionId": id, "streamUrl": url, "tokenValue": token}


def endpoint(engine: Engine) -> AsgiApp:
    """The ASGI application at which sessions are opened."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        if scope["type"] != "websocket":
            await http.Response(426, {"upgrade": "websocket"}).send(send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        session = _claim(engine, scope["path"].rpartition("/")[2], await receive())
        if session is None:
            await send({"type": "websocket.close", "code": _REFUSED, "reason": "The session is not valid."})
            return
        await _Channel(engine, session, receive, send).run()

    return app


def _claim(engine: Engine, id: str, opening: Any) -> Body | None:
    """The session, when its token was sent; it can be opened once."""
    found = SESSIONS.everywhere(engine.store, sessionId=id)
    try:
        token = str(json.loads(opening.get("text") or "{}").get("TokenValue", ""))
    except ValueError:
        return None
    if not found or found[0][1]["created"] < engine.now() - OPEN_SECONDS:
        return None
    scope, session = found[0]
    if not hmac.compare_digest(session["token"], hashlib.sha256(token.encode()).hexdigest()):
        return None
    SESSIONS.delete(engine.context("ecs", scope), id)
    return session


class _Channel:
    """One open session: two streams between the WebSocket and the command."""

    def __init__(self, engine: Engine, session: Body, receive: http.Receive, send: http.Send) -> None:
        self._engine = engine
        self._session = session
        self._receive = receive
        self._send = send
        self._sequence = 0

    async def run(self) -> None:
        """Until the command ends or the client hangs up."""
        try:
            command = shlex.split(self._session["command"]) or ["sh"]
            run = await self._engine.docker.exec(self._session["container"], command, tty=True)
        except (DockerRefused, DockerUnavailable, ValueError) as error:
            await self._end(f"\nThe command cannot be run: {error}\n")
            return
        reading = asyncio.ensure_future(self._read(run))
        writing = asyncio.ensure_future(self._write(run))
        try:
            await asyncio.wait([reading, writing], return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                await self._end(f"\nExiting session with sessionId: {self._session['sessionId']}.\n")
        finally:
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            await run.close()

    async def _read(self, run: Exec) -> None:
        while (event := await self._receive())["type"] == "websocket.receive":
            try:
                message = messages.decode(event.get("bytes") or b"")
            except Malformed:
                continue
            if message.type != INPUT:
                continue
            await self._bytes(messages.acknowledgement(message))
            if message.payload_type == SIZE:
                size = json.loads(message.payload)
                await run.resize(int(size["rows"]), int(size["cols"]))
            elif message.payload_type == DATA:
                await run.write(message.payload)

    async def _write(self, run: Exec) -> None:
        async for chunk in run.output():
            await self._bytes(messages.encode(Message(OUTPUT, self._sequence, chunk, DATA)))
            self._sequence += 1

    async def _end(self, output: str) -> None:
        await self._bytes(messages.closed(self._session["sessionId"], output))
        await self._send({"type": "websocket.close", "code": 1000})

    async def _bytes(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": data})
