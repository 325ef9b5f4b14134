"""Who calls the registry, and which registry is meant.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import NamedTuple

from botocore import xform_name
from botocore.model import OperationModel

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.names import REGISTRY_HOST
from homeport.engine.services.ecr.registry.errors import RegistryError
from homeport.engine.services.ecr.tokens import find_token, principal_of, read_token
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Place, Scope
from homeport.engine.wire import model
from homeport.engine.wire.call import Call as WireCall
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request
from homeport.engine.wire.principal import Principal, root


class Registry(NamedTuple):
    """The registry that a request means; `prefix` is what stands for it before the repository in the path."""

    scope: Scope
    prefix: str = ""


def named_registry(engine: Engine, request: Request) -> Registry:
    """The account and region of the host `<account>.dkr.ecr.<region>.amazonaws.com`. Under another name, such as the
    loopback address, the path may begin with that name instead; otherwise the engine's own registry is meant."""
    host = request.headers.get("host", "").partition(":")[0].lower()
    if match := REGISTRY_HOST.fullmatch(host):
        return Registry(Scope(match[1], match[2]))
    first = request.path.removeprefix("/v2/").partition("/")[0]
    if match := REGISTRY_HOST.fullmatch(first):
        return Registry(Scope(match[1], match[2]), f"{first}/")
    return Registry(Scope(engine.account, engine.region))


def authenticate(engine: Engine, scope: Scope, request: Request) -> Context:
    """A context that acts as the bearer of the request's token. Raises UNAUTHORIZED with ECR's challenge."""
    principal = _bearer(engine, scope, request)
    return replace(engine.context("ecr", scope), principal=principal)


async def authorize(ctx: Context, request: Request, action: str, repository: str) -> WireCall:
    """Ask IAM whether the bearer may do what the ECR operation `action` does; returns the call of it that the
    request amounts to. Raises AccessDeniedException, and tells the audit trail of it."""
    call = WireCall(
        service="ecr",
        operation=_operation(action),
        params={"registryId": ctx.scope.account, "repositoryName": repository},
        principal=ctx.principal,
        account=ctx.principal.account,
        region=ctx.scope.region,
        request_id=ctx.request_id,
        source_ip=request.client,
        user_agent=request.headers.get("user-agent", ""),
        secure=request.secure,
        headers=request.headers,
    )
    operation = ctx.engine.services["ecr"].operations.get(xform_name(action))
    try:
        await ctx.engine.identity.authorize(call, operation)
    except AwsError as error:
        ctx.engine.observe(call, None, error)
        raise
    return call


def _operation(action: str) -> OperationModel:
    """The operation of that name; for a permission without one, such as BatchImportUpstreamImage, one in the form
    of BatchGetImage, so that IAM finds the repository in its input."""
    ecr = model.load("ecr")
    if action in ecr.operation_names:
        return ecr.operation_model(action)
    return OperationModel({"name": action, "input": {"shape": "BatchGetImageRequest"}}, ecr, action)


def _bearer(engine: Engine, scope: Scope, request: Request) -> Principal:
    token = request.parameter("token") or _sent_token(request)
    known = read_token(token) if token else None
    row = find_token(Place(engine.store, Scope(known[0], scope.region)), known[1]) if known else None
    if row is None or row["path"] not in (None, request.path):
        if engine.config.auth == "permissive":
            return root(scope.account)
        raise _challenge(request)
    if row["expiresAt"] <= engine.now():
        raise RegistryError(
            "DENIED", "Your authorization token has expired. Reauthenticate and try again.", 403
        )
    return principal_of(row)


def _sent_token(request: Request) -> str | None:
    """The token of `Basic AWS:<token>` or `Bearer <token>`."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return password if user == "AWS" else None


def _challenge(request: Request) -> RegistryError:
    host = request.headers.get("host", "")
    realm = f'Basic realm="{"https" if request.secure else "http"}://{host}/",service="ecr.amazonaws.com"'
    return RegistryError("UNAUTHORIZED", "Not Authorized", 401, headers={"www-authenticate": realm})
