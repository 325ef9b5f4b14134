"""Temporary credentials. All that is known of a session stands, sealed, in its token: nothing is stored.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.iam.entities import ALPHABET
from homeport.engine.services.seal import Seal
from homeport.engine.wire.principal import Credential, Principal

_PURPOSE = "session"


class Expired(Exception):
    """The session is over."""


class Sessions:
    """Issues and reads session tokens."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def issue(self, principal: Principal, seconds: float, now: float) -> dict[str, Any]:
        """Credentials for a principal, in the form of STS's Credentials."""
        key = "ASIA" + "".join(secrets.choice(ALPHABET) for _ in range(16))
        secret = secrets.token_urlsafe(30)
        context = {**principal.session_context, "issued": now, "expires": now + seconds}
        body = {
            "key": key,
            "secret": secret,
            "principal": asdict(replace(principal, session_context=context)),
        }
        return {
            "AccessKeyId": key,
            "SecretAccessKey": secret,
            "SessionToken": self._seal.close(body, _PURPOSE),
            "Expiration": datetime.fromtimestamp(int(now + seconds), UTC),
        }

    def credential(self, access_key_id: str, token: str, now: float) -> Credential | None:
        """Who a token speaks for; None when it is none of ours or of another key. Raises Expired."""
        body = self._seal.open(token, _PURPOSE)
        if body is None or body["key"] != access_key_id:
            return None
        fields = body["principal"]
        if now >= fields["session_context"]["expires"]:
            raise Expired
        fields["session_policies"] = tuple(fields["session_policies"])
        principal = replace(Principal(**fields), access_key_id=access_key_id)
        return Credential(access_key_id, body["secret"], principal)
