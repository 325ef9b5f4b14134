"""The registry as an ASGI application: which handler answers which path, for whom, in which registry."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from homeport.engine.services.ecr.names import is_repository
from homeport.engine.services.ecr.registry.access import authenticate, named_registry
from homeport.engine.services.ecr.registry.blobs import delete_blob, get_blob, head_blob
from homeport.engine.services.ecr.registry.call import Call
from homeport.engine.services.ecr.registry.errors import RegistryError, registry_error
from homeport.engine.services.ecr.registry.manifests import delete_manifest, get_manifest, put_manifest
from homeport.engine.services.ecr.registry.referrers import list_referrers
from homeport.engine.services.ecr.registry.tags import list_tags
from homeport.engine.services.ecr.registry.uploads import (
    delete_upload,
    get_upload,
    patch_upload,
    post_upload,
    put_upload,
)
from homeport.engine.services.ecr.storage import layer_files
from homeport.engine.services.engine import Engine
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import AsgiApp, Disconnected, Receive, Request, Response, Scope, Send, request

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Response]]


class Route(NamedTuple):
    """A form of path and the handlers of its methods; the groups after the repository are handler arguments."""

    path: re.Pattern[str]
    handlers: dict[str, Handler]


ROUTES = (
    Route(re.compile(r"/v2/(.+)/blobs/uploads/?"), {"POST": post_upload}),
    Route(
        re.compile(r"/v2/(.+)/blobs/uploads/([^/]+)"),
        {"GET": get_upload, "PATCH": patch_upload, "PUT": put_upload, "DELETE": delete_upload},
    ),
    Route(re.compile(r"/v2/(.+)/blobs/([^/]+)"), {"HEAD": head_blob, "GET": get_blob, "DELETE": delete_blob}),
    Route(
        re.compile(r"/v2/(.+)/manifests/([^/]+)"),
        {"HEAD": get_manifest, "GET": get_manifest, "PUT": put_manifest, "DELETE": delete_manifest},
    ),
    Route(re.compile(r"/v2/(.+)/tags/list"), {"GET": list_tags}),
    Route(re.compile(r"/v2/(.+)/referrers/([^/]+)"), {"GET": list_referrers}),
)


def registry_app(engine: Engine) -> AsgiApp:
    """The registry of every account and region of the engine; the host name says which is meant."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call = request(scope, receive)
        try:
            response = await _answer(engine, call)
        except RegistryError as error:
            response = error.response()
        except AwsError as error:
            response = registry_error(error).response()
        except Disconnected:
            return
        except Exception:
            log.exception("%s %s failed", call.method, call.path)
            response = RegistryError(
                "UNKNOWN", "homeport failed on this request; its log has why", 500
            ).response()
        response.headers["docker-distribution-api-version"] = "registry/2.0"
        await response.send(send, head=call.method == "HEAD")

    return app


async def _answer(engine: Engine, request: Request) -> Response:
    registry = named_registry(engine, request)
    ctx = authenticate(engine, registry.scope, request)
    path = f"/v2/{request.path.removeprefix(f'/v2/{registry.prefix}')}" if registry.prefix else request.path
    if path in ("/v2/", "/v2"):
        return Response(200, {"content-type": "application/json"}, b"{}")
    for route in ROUTES:
        if match := route.path.fullmatch(path):
            repository, *arguments = match.groups()
            if not is_repository(repository):
                raise RegistryError("NAME_INVALID", f"'{repository}' is not a name of a repository", 400)
            handler = route.handlers.get(request.method)
            if handler is None:
                raise _unsupported(request)
            call = Call(ctx, layer_files(engine), request, repository, registry.prefix)
            return await _handle(handler, call, arguments)
    raise _unsupported(request) if request.path == "/v2/_catalog" else _unknown(request)


async def _handle(handler: Handler, call: Call, arguments: list[str]) -> Response:
    """Run the handler and tell the audit trail what came of the calls that it amounts to."""
    try:
        response = await handler(call, *arguments)
    except (AwsError, RegistryError) as error:
        if error.code not in ("DENIED", "AccessDeniedException", "AccessDenied"):
            for each in call.allowed:
                call.ctx.engine.observe(each, None, AwsError(error.code, error.message))
        raise
    for each in call.allowed:
        call.ctx.engine.observe(each, {}, None)
    return response


def _unsupported(request: Request) -> RegistryError:
    return RegistryError("UNSUPPORTED", f"ECR does not support {request.method} {request.path}", 405)


def _unknown(request: Request) -> RegistryError:
    return RegistryError("NAME_UNKNOWN", f"{request.path} is no path of the distribution API", 404)
