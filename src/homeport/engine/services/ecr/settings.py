"""Settings of a registry: one row a setting, for each account and region."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tables import SETTINGS

ACCOUNT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", ("AWS_NATIVE", "CLAIR")),
    "REGISTRY_POLICY_SCOPE": ("V2", ("V1", "V2")),
    "BLOB_MOUNTING": ("ENABLED", ("ENABLED", "DISABLED")),
}
"""Names of PutAccountSetting: the value that is so until it is put, and the allowed ones.

Mounting is on from the start, unlike on AWS: here repositories share their files anyway.
"""


def account_setting(ctx: Context, name: str) -> str:
    """The value of an account setting."""
    return read_setting(ctx, name).get("value") or ACCOUNT_SETTINGS[name][0]


def read_setting(ctx: Context, name: str) -> dict[str, Any]:
    """The row of a setting; empty when it was never written."""
    return SETTINGS.get(ctx, name) or {}


def write_setting(ctx: Context, name: str, **body: Any) -> None:
    """Write a setting's row."""
    SETTINGS.put(ctx, {"name": name, **body})


def remove_setting(ctx: Context, name: str) -> None:
    """Forget a setting."""
    SETTINGS.delete(ctx, name)
