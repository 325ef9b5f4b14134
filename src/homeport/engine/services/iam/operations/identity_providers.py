"""OpenID Connect providers. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html

They are kept so that templates and trust policies which name them deploy; STS refuses their tokens.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import Body, checked_tags
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError


@operation
async def create_open_id_connect_provider(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    url = urlsplit(request["Url"])
    if url.scheme != "https" or not url.netloc:
        raise AwsError("ValidationError", "Invalid Open ID Connect Provider URL")
    name = f"{url.netloc}{url.path}".rstrip("/")
    arn = at.arn(f"oidc-provider/{name}", service="iam", region="")
    if tables.IDENTITY_PROVIDERS.get(at, arn):
        raise AwsError("EntityAlreadyExists", f"Provider with url {request['Url']} already exists.")
    tags = checked_tags(request.get("Tags"))
    provider = {
        "Arn": arn,
        "Url": name,
        "ClientIDList": request.get("ClientIDList") or [],
        "ThumbprintList": request.get("ThumbprintList") or [],
        "CreateDate": float(int(ctx.now())),
        "Tags": tags,
    }
    tables.IDENTITY_PROVIDERS.put(at, provider)
    return {"OpenIDConnectProviderArn": arn, "Tags": tags}


@operation
async def get_open_id_connect_provider(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    provider = identity_provider(tables.everywhere(ctx), request["OpenIDConnectProviderArn"])
    return {member: value for member, value in provider.items() if member != "Arn"}


@operation
async def list_open_id_connect_providers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    providers = tables.IDENTITY_PROVIDERS.list(tables.everywhere(ctx))
    return {"OpenIDConnectProviderList": [{"Arn": provider["Arn"]} for provider in providers]}


@operation
async def delete_open_id_connect_provider(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    tables.IDENTITY_PROVIDERS.delete(tables.everywhere(ctx), request["OpenIDConnectProviderArn"])
    return {}


@operation
async def update_open_id_connect_provider_thumbprint(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    provider = identity_provider(at, request["OpenIDConnectProviderArn"])
    tables.IDENTITY_PROVIDERS.put(at, provider | {"ThumbprintList": request["ThumbprintList"]})
    return {}


@operation
async def add_client_id_to_open_id_connect_provider(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    provider = identity_provider(at, request["OpenIDConnectProviderArn"])
    clients = list(dict.fromkeys([*provider["ClientIDList"], request["ClientID"]]))
    tables.IDENTITY_PROVIDERS.put(at, provider | {"ClientIDList": clients})
    return {}


@operation
async def remove_client_id_from_open_id_connect_provider(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    provider = identity_provider(at, request["OpenIDConnectProviderArn"])
    clients = [client for client in provider["ClientIDList"] if client != request["ClientID"]]
    tables.IDENTITY_PROVIDERS.put(at, provider | {"ClientIDList": clients})
    return {}


def identity_provider(at: At, arn: str) -> Body:
    """The provider of this ARN. Raises NoSuchEntity."""
    provider = tables.IDENTITY_PROVIDERS.get(at, arn)
    if provider is None:
        raise AwsError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    return provider
