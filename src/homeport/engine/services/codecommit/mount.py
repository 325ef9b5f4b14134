"""Git over smart HTTP at `/v1/repos/<name>`, the path of CodeCommit's clone URLs.

https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from homeport.engine.services.codecommit import http_backend, tables
from homeport.engine.services.codecommit.credentials import authenticate
from homeport.engine.services.codecommit.permissions import authorize
from homeport.engine.services.codecommit.pushes import NAME, Pushing
from homeport.engine.store.database import Scope
from homeport.engine.wire import http
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "v1/repos"
_PATH = re.compile(r"^/v1/repos/(?P<name>[\w.-]{1,100}?)(?:\.git)?(?P<rest>/info/refs|/git-[a-z-]+)$")
_HOST = re.compile(r"^git-codecommit(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")
_CHALLENGE = {"www-authenticate": 'Basic realm="AWS CodeCommit"'}


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        try:
            await _serve(engine, request, scope, send)
        except AwsError as error:
            await _refuse(error).send(send)

    return app


async def _serve(engine: Engine, request: http.Request, scope: http.Scope, send: http.Send) -> None:
    found = _PATH.match(request.path)
    service = http_backend.requested_service(found["rest"], request.raw_query) if found else None
    if not found or service is None:
        raise AwsError(
            "InvalidRequest",
            "This is not a request of git's smart HTTP protocol; a newer git may be needed.",
            403,
        )
    region = clone_region(request.headers.get("host", "")) or engine.region
    principal = authenticate(engine, request, region)
    account = principal.account if principal else engine.account
    ctx = engine.context("codecommit", Scope(account, region))
    name = found["name"]
    await authorize(ctx, principal, http_backend.SERVICES[service], name)
    repository = tables.repository(ctx, name)
    path = tables.path(ctx, repository)
    if service != "git-receive-pack" or found["rest"] == "/info/refs":
        await http_backend.serve(path, found["rest"], scope, request.receive, send, principal.arn)
        return
    pushing = engine.part(Pushing)
    try:
        with pushing.push(repository["repositoryId"]):
            await http_backend.serve(path, found["rest"], scope, request.receive, send, principal.arn)
    finally:
        ctx.wake(NAME, repository["repositoryId"])


def clone_region(host: str) -> str | None:
    """The region in the host name of a clone URL."""
    found = _HOST.match(host)
    return found["region"] if found else None


def _refuse(error: AwsError) -> http.Response:
    status = {"RepositoryDoesNotExistException": 404, "Unauthorized": 401}.get(error.code, 403)
    headers = {"content-type": "text/plain; charset=utf-8"} | (_CHALLENGE if status == 401 else {})
    return http.Response(status, headers, f"{error.message}\n".encode())
