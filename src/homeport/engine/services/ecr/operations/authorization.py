"""GetAuthorizationToken: what `docker login` takes as its password."""

from __future__ import annotations

import base64
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tokens import issue_token
from homeport.engine.services.service import operation


@operation
async def get_authorization_token(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"""
    token, expires = issue_token(ctx)
    data = []
    for account in request.get("registryIds") or [ctx.scope.account]:
        host = f"{account}.dkr.ecr.{ctx.scope.region}.amazonaws.com"
        basic = base64.b64encode(f"AWS:{token}".encode()).decode()
        data.append({"authorizationToken": basic, "expiresAt": expires, "proxyEndpoint": f"https://{host}"})
    return {"authorizationData": data}
