"""moto, mounted in the process: EC2's networks, DynamoDB, SQS and whatever else is not homeport's own.

moto keeps its state in memory. What changes it is therefore journalled before it is acknowledged, and replayed when
a restarted engine first needs it, with the random numbers of the first time: ids and ARNs come out the same (times
of creation do not; docs/parity.md says so). It is imported on first use, and runs on one thread of its own.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from homeport.engine.services.elsewhere import requests
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request, Response

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

log = logging.getLogger(__name__)

_READS = re.compile(r"^(Describe|List|Get|Head|BatchGet|Query$|Scan$|Lookup|Search|Check|Validate|Select)")
_CORRECTIONS = {"DescribeNetworkAcls": (b"InvalidRouteTableID.NotFound", b"InvalidNetworkAclID.NotFound")}
"""Codes of errors that moto has wrong, and AWS's: tools find out by them that something is gone."""

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]


class _NoBackend(Exception):
    """moto does not have the service."""


class Moto:
    """Answers calls by moto."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "moto")
        self._app: Wsgi | None = None
        self._touched: set[tuple[str, str, str]] = set()
        self._one_by_one = asyncio.Lock()

    async def answer(self, request: Request, body: bytes, call: Call) -> Response:
        """Answer a request; one that changes something is in the journal when this returns."""
        async with self._one_by_one:
            loop = asyncio.get_running_loop()
            if self._app is None:
                journal = self._engine.store.execute("SELECT * FROM elsewhere_journal ORDER BY id")
                await loop.run_in_executor(self._thread, self._load, [dict(row) for row in journal])
            environ = _environ(request, body, call)
            seed = secrets.randbits(62)
            try:
                response = await loop.run_in_executor(self._thread, self._run, environ, body, seed)
            except _NoBackend:
                raise AwsError(
                    "NotImplemented",
                    f"Neither homeport nor moto has {call.service}; docs/parity.md lists what homeport has.",
                    501,
                ) from None
            # a backend's first use makes its default resources (the default VPC, say), so reads count then, too
            first = (call.service, call.account, call.region) not in self._touched
            if response.status < 400 and (first or not _READS.match(call.name)):
                self._touched.add((call.service, call.account, call.region))
                kept = json.dumps([environ, call.service, call.account, call.region])
                self._engine.store.execute(
                    "INSERT INTO elsewhere_journal (seed, request, body) VALUES (?, ?, ?)", seed, kept, body
                )
        if response.status >= 400 and call.name in _CORRECTIONS:
            assert isinstance(response.body, bytes)
            response.body = response.body.replace(*_CORRECTIONS[call.name])
        response.headers[requests.SERVICE_HEADER] = "moto"
        return response

    async def invoke(self, call: Call) -> dict[str, Any]:
        """Answer a call of another service. Raises AwsError."""
        request, body = await requests.to_http(call)
        return requests.from_http(await self.answer(request, body, call), call)

    async def reset(self) -> None:
        """Forget everything; the journal's rows go with the store's."""
        async with self._one_by_one:
            if self._app is not None:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._forget)

    def _load(self, journal: list[dict[str, Any]]) -> None:
        """Import moto and bring it to where the journal ends. Runs on moto's thread."""
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        def create(backend: str | None) -> Any:
            if backend is None:
                raise _NoBackend
            return create_backend_app(backend)

        self._app = DomainDispatcherApplication(create)
        for row in journal:
            environ, *touched = json.loads(row["request"])
            self._touched.add(tuple(touched))
            response = self._run(environ, row["body"], row["seed"])
            if response.status >= 400:
                log.error("moto refuses to replay %s (journal entry %d)", environ["PATH_INFO"], row["id"])

    def _run(self, environ: dict[str, Any], body: bytes, seed: int) -> Response:
        """One request through moto's WSGI application. Runs on moto's thread."""
        from moto.moto_api._internal import mock_random

        assert self._app
        mock_random.seed(seed)
        started: list[Any] = []
        wsgi = {**environ, "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}
        chunks = self._app(wsgi, lambda status, headers, _=None: started.extend((status, headers)))
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = started
        kept = {
            name.lower(): value for name, value in headers if name.lower() not in ("connection", "server")
        }
        return Response(int(status.split()[0]), kept, content)

    def _forget(self) -> None:
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()
        self._touched.clear()


def _environ(request: Request, body: bytes, call: Call) -> dict[str, Any]:
    """The WSGI environment, JSON but for its streams. moto tells accounts apart by a header of its own."""
    scope_name = call.operation.service_model.metadata
    signing_name = scope_name.get("signingName") or scope_name["endpointPrefix"]
    headers = {**request.headers, "x-moto-account-id": call.account}
    if "authorization" in headers:
        headers["authorization"] = requests.authorization(call, signing_name)
    headers.pop("x-amz-security-token", None)
    raw = request.raw_path + (f"?{request.raw_query}" if request.raw_query else "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.raw_path).encode().decode("latin-1"),
        "RAW_URI": raw,
        "REQUEST_URI": raw,
        "QUERY_STRING": request.raw_query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "4566",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": [1, 0],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        if name not in ("content-type", "content-length"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
