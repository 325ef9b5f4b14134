"""Service-specific credentials: user names and passwords for git with CodeCommit.

The password is shown when it is made and never again: only its hash is kept.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html
"""

from __future__ import annotations

import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import ALPHABET, USER, Body, listed, without
from homeport.engine.services.iam.operations.users import own_name
from homeport.engine.services.iam.passwords import password_hash
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError

SERVICES = ("codecommit.amazonaws.com",)
MAX_CREDENTIALS = 2


@operation
async def create_service_specific_credential(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at, service = tables.everywhere(ctx), request["ServiceName"]
    user = USER.get(at, request["UserName"])
    if service not in SERVICES:
        raise AwsError("NotSupportedService", f"{service} takes no service-specific credentials here", 404)
    own = [one for one in _of(at, user["UserName"]) if one["ServiceName"] == service]
    if len(own) >= MAX_CREDENTIALS:
        raise AwsError(
            "LimitExceeded", f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {MAX_CREDENTIALS}"
        )
    password = secrets.token_urlsafe(32)
    credential = {
        "UserName": user["UserName"],
        "ServiceName": service,
        "ServiceUserName": f"{user['UserName']}{f'+{len(own)}' if own else ''}-at-{ctx.account}",
        "ServiceSpecificCredentialId": "ACCA" + "".join(secrets.choice(ALPHABET) for _ in range(16)),
        "Status": "Active",
        "CreateDate": float(int(ctx.now())),
        "PasswordHash": password_hash(password),
    }
    tables.SERVICE_CREDENTIALS.put(at, credential)
    return {"ServiceSpecificCredential": _shown(credential) | {"ServicePassword": password}}


@operation
async def list_service_specific_credentials(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at, service = tables.everywhere(ctx), request.get("ServiceName")
    user = USER.get(at, request.get("UserName") or own_name(ctx))
    found = [one for one in _of(at, user["UserName"]) if service in (None, one["ServiceName"])]
    return listed(
        "ServiceSpecificCredentials", found, request, lambda one: one["ServiceSpecificCredentialId"], _shown
    )


@operation
async def update_service_specific_credential(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    tables.SERVICE_CREDENTIALS.put(at, _credential(at, request) | {"Status": request["Status"]})
    return {}


@operation
async def reset_service_specific_credential(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at, password = tables.everywhere(ctx), secrets.token_urlsafe(32)
    credential = _credential(at, request) | {"PasswordHash": password_hash(password)}
    tables.SERVICE_CREDENTIALS.put(at, credential)
    return {"ServiceSpecificCredential": _shown(credential) | {"ServicePassword": password}}


@operation
async def delete_service_specific_credential(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    credential = _credential(at, request)
    tables.SERVICE_CREDENTIALS.delete(at, credential["ServiceSpecificCredentialId"])
    return {}


def _of(at: At, user: str) -> list[Body]:
    return tables.SERVICE_CREDENTIALS.list(at, UserName=user)


def _credential(at: At, request: dict[str, Any]) -> Body:
    id = request["ServiceSpecificCredentialId"]
    credential = tables.SERVICE_CREDENTIALS.get(at, id)
    if credential is None or request.get("UserName") not in (None, credential["UserName"]):
        raise AwsError("NoSuchEntity", f"The service-specific credential with id {id} cannot be found.")
    return credential


def _shown(credential: Body) -> Body:
    return without(credential, "PasswordHash")
