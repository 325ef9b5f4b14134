"""What users may have on AWS and have none of here: MFA devices, SSH keys, signing certificates.

Tools that remove a user ask for them first. Making one is answered as not implemented.
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import USER
from homeport.engine.services.service import operation


@operation
async def list_mfa_devices(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _none(ctx, request, "MFADevices")


@operation
async def list_virtual_mfa_devices(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _none(ctx, {}, "VirtualMFADevices")


@operation
async def list_ssh_public_keys(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _none(ctx, request, "SSHPublicKeys")


@operation
async def list_signing_certificates(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _none(ctx, request, "Certificates")


def _none(ctx: Context, request: dict[str, Any], member: str) -> dict[str, Any]:
    if user := request.get("UserName"):
        USER.get(tables.everywhere(ctx), user)
    return {member: [], "IsTruncated": False}
