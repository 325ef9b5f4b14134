"""The credentials that a git source is read with, and that its commit statuses are written with.

https://docs.aws.amazon.com/codebuild/latest/userguide/access-tokens.html
"""

from __future__ import annotations

import json

from homeport.engine.services.codebuild.tables import CREDENTIALS, Row
from homeport.engine.services.codecommit import git
from homeport.engine.services.codeconnections import repositories
from homeport.engine.services.codeconnections.use import use
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


async def find(ctx: Context, role: str, source: Row) -> git.Login | None:
    """What the source's own `auth` names, else the account's credentials for this kind of server, read as the role;
    None when there are none. Raises AwsError."""
    kind, resource, user = _named(ctx, source)
    if kind == "CODECONNECTIONS":
        own, connection = await use(ctx, role, ctx.region, resource)
        token = (await repositories.secret(own, connection)).get("token")
        return git.Login(source["location"], _user(source), token) if token else None
    if kind == "SECRETS_MANAGER":
        return await _from_secret(ctx, role, source, resource)
    return git.Login(source["location"], user or _user(source), resource) if resource else None


def known(ctx: Context, source: Row) -> bool:
    """Whether there are credentials for the source, without a look at what they are."""
    return bool(_named(ctx, source)[1])


def _named(ctx: Context, source: Row) -> tuple[str, str, str]:
    """The kind of the credentials, what they are or where they lie, and the user."""
    auth = source.get("auth") or {}
    if auth.get("type") in ("CODECONNECTIONS", "SECRETS_MANAGER") and auth.get("resource"):
        return auth["type"], auth["resource"], ""
    for row in CREDENTIALS.list(ctx):
        if row["serverType"] == source["type"]:
            return row["authType"], row["_token"], row.get("username", "")
    return "", "", ""


async def _from_secret(ctx: Context, role: str, source: Row, id: str) -> git.Login:
    answer = await ctx.client("secretsmanager", role=role).get_secret_value(SecretId=id)
    try:
        content = json.loads(answer["SecretString"])
        return git.Login(source["location"], content.get("Username") or _user(source), content["Token"])
    except (KeyError, ValueError, AttributeError, TypeError):
        raise AwsError(
            "InvalidInputException",
            f'The secret {id} is not that of a source credential: {{"ServerType": …, "AuthType": …, "Token": …}}',
        ) from None


def _user(source: Row) -> str:
    """The user that goes with a token alone."""
    return "x-token-auth" if source["type"] == "BITBUCKET" else "x-access-token"
