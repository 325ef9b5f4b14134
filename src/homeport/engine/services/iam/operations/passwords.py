"""Passwords for AWS's console: the account's policy, and users' login profiles. Nothing signs in with them here.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords.html
"""

from __future__ import annotations

import hashlib
import hmac
import os
import string
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import USER, Body
from homeport.engine.services.iam.operations.users import own_name
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError

_POLICY = "password-policy"
_FLAGS = {
    "RequireSymbols": "!@#$%^&*()_+-=[]{}|'",
    "RequireNumbers": string.digits,
    "RequireUppercaseCharacters": string.ascii_uppercase,
    "RequireLowercaseCharacters": string.ascii_lowercase,
}


@operation
async def update_account_password_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    policy: Body = {
        "MinimumPasswordLength": 6,
        "AllowUsersToChangePassword": False,
        **dict.fromkeys(_FLAGS, False),
    }
    policy |= request | {"ExpirePasswords": bool(request.get("MaxPasswordAge"))}
    tables.ACCOUNT.put(tables.everywhere(ctx), {"Name": _POLICY, "Value": policy})
    return {}


@operation
async def get_account_password_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    known = tables.ACCOUNT.get(tables.everywhere(ctx), _POLICY)
    if known is None:
        raise AwsError("NoSuchEntity", f"The Password Policy with domain name {ctx.account} cannot be found.")
    return {"PasswordPolicy": known["Value"]}


@operation
async def delete_account_password_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if not tables.ACCOUNT.delete(tables.everywhere(ctx), _POLICY):
        raise AwsError("NoSuchEntity", "The account policy with name PasswordPolicy cannot be found.")
    return {}


@operation
async def create_login_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    user = USER.get(at, request.get("UserName") or own_name(ctx))["UserName"]
    if tables.ACCOUNT.get(at, tables.login(user)):
        raise AwsError("EntityAlreadyExists", f"Login Profile for user {user} already exists.")
    profile = {
        "Name": tables.login(user),
        "UserName": user,
        "CreateDate": float(int(ctx.now())),
        "PasswordResetRequired": bool(request.get("PasswordResetRequired")),
        "Digest": _digest(_checked(at, request.get("Password") or "")),
    }
    tables.ACCOUNT.put(at, profile)
    return {"LoginProfile": _shown(profile)}


@operation
async def get_login_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "LoginProfile": _shown(_profile(tables.everywhere(ctx), request.get("UserName") or own_name(ctx)))
    }


@operation
async def update_login_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = _profile(at, request["UserName"])
    if "Password" in request:
        profile["Digest"] = _digest(_checked(at, request["Password"]))
    if "PasswordResetRequired" in request:
        profile["PasswordResetRequired"] = request["PasswordResetRequired"]
    tables.ACCOUNT.put(at, profile)
    return {}


@operation
async def delete_login_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = _profile(at, request.get("UserName") or own_name(ctx))
    tables.ACCOUNT.delete(at, profile["Name"])
    return {}


@operation
async def change_password(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = _profile(at, own_name(ctx))
    salt = bytes.fromhex(profile["Digest"].partition(":")[0])
    if not hmac.compare_digest(profile["Digest"], _digest(request["OldPassword"], salt)):
        raise AwsError("AccessDenied", "The old password was incorrect.", 403)
    profile["Digest"] = _digest(_checked(at, request["NewPassword"]))
    tables.ACCOUNT.put(at, profile | {"PasswordResetRequired": False})
    return {}


def _profile(at: At, user: str) -> Body:
    profile = tables.ACCOUNT.get(at, tables.login(USER.get(at, user)["UserName"]))
    if profile is None:
        raise AwsError("NoSuchEntity", f"Login Profile for User {user} cannot be found.")
    return profile


def _shown(profile: Body) -> Body:
    return {name: profile[name] for name in ("UserName", "CreateDate", "PasswordResetRequired")}


def _checked(at: At, password: str) -> str:
    known = tables.ACCOUNT.get(at, _POLICY)
    policy = known["Value"] if known else {"MinimumPasswordLength": 8}
    if len(password) < policy["MinimumPasswordLength"]:
        raise AwsError(
            "PasswordPolicyViolation",
            f"Password should have a minimum length of {policy['MinimumPasswordLength']}",
        )
    for flag, letters in _FLAGS.items():
        if policy.get(flag) and not set(password) & set(letters):
            kind = flag.removeprefix("Require").removesuffix("Characters").lower()
            raise AwsError("PasswordPolicyViolation", f"Password should have at least one of: {kind}")
    return password


def _digest(password: str, salt: bytes | None = None) -> str:
    salt = salt or os.urandom(16)
    return f"{salt.hex()}:{hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1).hex()}"
