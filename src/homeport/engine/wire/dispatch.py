"""The front: from an HTTP request to an operation and back.

mounts (registry, git, …) → signature → route → body → input → invoke → answer. Services that homeport does not
have are handed on, signature checked and authorized, to whatever answers them ("elsewhere").
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, Protocol

from botocore.model import OperationModel, ServiceModel

from homeport.engine.wire import codecs, http, model, routing, signing
from homeport.engine.wire.body import STREAMING, Body, unzip
from homeport.engine.wire.call import Call, new_id
from homeport.engine.wire.codecs import Wire
from homeport.engine.wire.errors import AwsError, internal_failure
from homeport.engine.wire.http import Request, Response
from homeport.engine.wire.principal import ANONYMOUS, Credential

log = logging.getLogger(__name__)

_ANONYMOUS_SERVICES = ("s3", "sts")


class Backend(Protocol):
    """What the front needs of the engine."""

    account: str
    region: str

    def find_credential(self, access_key_id: str, token: str | None, service: str) -> Credential: ...

    def is_native(self, service: str) -> bool: ...

    async def invoke(self, call: Call) -> dict[str, Any]: ...

    def cross_origin(self, request: Request) -> dict[str, str]: ...

    async def invoke_elsewhere(self, request: Request, body: bytes, call: Call) -> Response: ...


class Front:
    """The ASGI application of the AWS API. `mounts` are ASGI applications by the first segments of their paths,
    such as `v2` or `v1/repos`; with a host name before them (`//mirror.internal/v2`) only under that name."""

    def __init__(self, backend: Backend, mounts: dict[str, http.AsgiApp]) -> None:
        self._backend = backend
        self._mounts: dict[str, list[tuple[str, http.AsgiApp]]] = {}  # by the first segment of the path
        for prefix, app in sorted(mounts.items(), key=lambda item: -len(item[0])):
            segments = prefix.split("/")
            first = segments[3] if prefix.startswith("//") else segments[0]
            self._mounts.setdefault(first, []).append((prefix, app))

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        path = scope["path"].lstrip("/")
        for prefix, app in self._mounts.get(path.partition("/")[0], ()):
            asked = f"//{_host(scope)}/{path}" if prefix.startswith("//") else path
            if asked == prefix or asked.startswith(f"{prefix}/"):
                await _mounted(app, scope, receive, send)
                return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
            return
        request = http.request(scope, receive)
        try:
            response = await _Exchange(self._backend, request).respond()
            if request.has_unread_body:
                response.headers["connection"] = "close"
            await response.send(send, head=request.method == "HEAD")
        except http.Disconnected:
            log.debug("the client went away: %s %s", request.method, request.raw_path)


async def _mounted(app: http.AsgiApp, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
    """Run what is mounted. What it did not catch of a client that goes away, or sends too much, is no error of it."""
    try:
        await app(scope, receive, send)
    except http.Disconnected:
        log.debug("the client went away: %s", scope["path"])
    except http.BodyTooLarge:
        await Response(413, {"connection": "close"}, b"The request body is too large.\n").send(send)


def _host(scope: http.Scope) -> str:
    value = next((value for name, value in scope.get("headers", ()) if name == b"host"), b"")
    return str(value.decode("latin-1").partition(":")[0].lower())


class _Exchange:
    """One request on its way through the front. What is known of it so far decides how an error is written."""

    def __init__(self, backend: Backend, request: Request) -> None:
        self._backend = backend
        self._request = request
        self._request_id = new_id()
        self._wire = Wire(_guess(request), {})
        self._service: ServiceModel | None = None
        self._operation: OperationModel | None = None

    async def respond(self) -> Response:
        """The response, whatever happens."""
        try:
            if "origin" not in self._request.headers:
                return await self._answer()
            return await self._answer_to_browser()
        except AwsError as error:
            return self._refuse(error)
        except http.BodyTooLarge:
            return self._refuse(
                AwsError("RequestEntityTooLarge", "The request body is larger than 64 MiB.", 413)
            )
        except http.Disconnected:
            raise
        except Exception:
            log.exception(
                "%s %s failed, request id %s", self._request.method, self._request.path, self._request_id
            )
            return self._refuse(internal_failure(self._request_id))

    async def _answer_to_browser(self) -> Response:
        """The answer for a page of another origin, errors included; preflights are not signed."""
        headers = self._backend.cross_origin(self._request)
        if self._request.method == "OPTIONS":
            return Response(200, headers)
        try:
            response = await self._answer()
        except AwsError as error:
            response = self._refuse(error)
        response.headers.update(headers)
        return response

    async def _answer(self) -> Response:
        request = self._request
        signature = signing.read(request)
        signing_name = signature.service if signature else _unsigned(request)
        early = routing.by_target(request) or routing.by_path(signing_name, request)
        if early:
            self._enter(early)
        # S3's requests name the digest of their body; to check the signature of others takes the body itself
        streaming = bool(early and early.operation and early.operation.has_streaming_input)
        streamed = streaming and signing_name == "s3"
        whole = b"" if streamed else await self._whole_body()
        route = early or routing.by_action(signing_name, request, whole)
        if signature is None and (route is None or route.operation is None):
            raise _unsigned_refused()
        if route is None:
            raise AwsError(
                "UnknownOperationException",
                f"No operation answers {request.method} {request.path[:256]!r} for {signing_name!r}.",
                404,
            )
        self._enter(route)
        credential = self._authenticate(route, signature, whole)
        principal = credential.principal if credential else ANONYMOUS
        if route.operation is None:
            raise _unknown(route)
        call = Call(
            service=route.service,
            operation=route.operation,
            params={},
            principal=principal,
            account=principal.account if credential else self._backend.account,
            region=signature.region if signature else self._backend.region,
            request_id=self._request_id,
            source_ip=request.client,
            user_agent=request.headers.get("user-agent", ""),
            secure=request.secure,
            presigned=bool(signature and signature.presigned),
            headers=request.headers,
        )
        if not self._backend.is_native(route.service):
            if route.wire.protocol == "cbor":
                raise AwsError("UnsupportedProtocol", f"{route.service} is not answered in CBOR.", 415)
            if not streamed:
                call.params = codecs.read(route.wire, request, whole, route.operation)
            return await self._backend.invoke_elsewhere(request, whole, call)
        body: bytes | AsyncIterator[bytes] = whole
        if streamed:
            check = signing.chunk_verifier(credential.secret, signature) if credential and signature else None
            body = Body(request.stream(), request.headers, check)  # type: ignore[assignment]
        elif request.headers.get("content-encoding") == "gzip":
            body = unzip(whole)
        call.params = codecs.read(route.wire, request, body, route.operation)
        output = await self._backend.invoke(call)
        response = codecs.write(route.wire, output, route.operation, self._request_id)
        if route.operation.has_event_stream_output and not isinstance(response.body, bytes):
            response.body = _while_connected(request, response.body)
        return response

    def _enter(self, route: routing.Route) -> None:
        self._wire = route.wire
        self._service = model.load(route.service)
        self._operation = route.operation

    async def _whole_body(self) -> bytes:
        declared = self._request.headers.get("x-amz-content-sha256", "")
        if declared.startswith(STREAMING):
            return await Body(self._request.stream(), self._request.headers, None).read()
        return await self._request.body()

    def _authenticate(
        self, route: routing.Route, signature: signing.Signature | None, body: bytes
    ) -> Credential | None:
        request = self._request
        if signature is None:
            if route.service in _ANONYMOUS_SERVICES and "authorization" not in request.headers:
                return None
            raise _unsigned_refused()
        credential = self._backend.find_credential(
            signature.access_key_id, signature.token, signature.service
        )
        if credential.secret == "":
            return credential
        # clients sign by the machine's clock, however fast the engine's runs
        signing.check_time(signature, time.time())
        declared = request.headers.get("x-amz-content-sha256") or signature.payload
        computed = signing.sha256(body)
        if signature.service != "s3" or declared is None:
            declared = declared if declared == signing.UNSIGNED_PAYLOAD else computed
        signing.verify(signature, request, credential.secret, declared)
        literal = declared.startswith((STREAMING, "UNSIGNED"))
        if body and not literal and computed != declared:
            raise AwsError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                400,
            )
        return credential

    def _refuse(self, error: AwsError) -> Response:
        return codecs.write_error(
            self._wire, error, self._request_id, self._service, self._operation, self._request.path
        )


async def _while_connected(request: Request, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body that goes on until it ends or its client goes away."""
    gone = asyncio.ensure_future(request.receive())
    try:
        async for chunk in body:
            if gone.done():
                return
            yield chunk
    finally:
        gone.cancel()


def _unsigned(request: Request) -> str:
    """The service that an unsigned request can mean: S3 and STS alone have operations for anybody."""
    return "sts" if _guess(request) == "query" else "s3"


def _unsigned_refused() -> AwsError:
    return AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)


def _guess(request: Request) -> codecs.Protocol:
    """The protocol to refuse a request in whose operation is not known."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if "x-amz-target" in request.headers:
        return "json-1.0" if "json-1.0" in request.headers.get("content-type", "") else "json-1.1"
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return "query"
    return "rest-json" if "json" in request.headers.get("content-type", "") else "rest-xml"


def _unknown(route: routing.Route) -> AwsError:
    if route.wire.protocol == "query":
        return AwsError(
            "InvalidAction", f"The action {route.name[:128]} is not valid for this endpoint.", 400
        )
    if route.wire.protocol in ("rest-json", "rest-xml"):
        return AwsError("MethodNotAllowed", f"{route.service} has no operation {route.name[:256]}.", 405)
    return AwsError("UnknownOperationException", f"{route.service} has no operation {route.name[:128]}.", 404)
