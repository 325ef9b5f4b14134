"""The environment in which AWS clients use a local engine."""

from __future__ import annotations

from typing import Any

LOOPBACK = ("127.0.0.1", "::1")


def variables(facts: dict[str, Any]) -> dict[str, str]:
    """The variables for an engine, by what it announced.

    AWS answers some operations on hosts of their own (`stream-logs…`): clients are told not to prefix the engine's. S3
    Control's put the account before the host whatever they are told. Of a host with a user name before it, those in
    Python then prefix the user name; others ask for `<account>.localhost`.
    """
    return {
        "AWS_ENDPOINT_URL": facts["url"],
        "AWS_ENDPOINT_URL_S3_CONTROL": _with_user(facts["url"]),
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": facts["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": facts["secret_access_key"],
        "AWS_REGION": facts["region"],
        "AWS_DEFAULT_REGION": facts["region"],
        "AWS_ACCOUNT_ID": facts["account"],
    }


def _with_user(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rpartition(":")
    return f"{scheme}://account@{'localhost' if host in LOOPBACK else host}:{port}"
