"""Who calls, and may they: what the engine asks of IAM."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from homeport.engine.services.service import Operation
from homeport.engine.store.database import Store
from homeport.engine.wire.call import Call
from homeport.engine.wire.principal import Credential, Principal


@dataclass(frozen=True, slots=True)
class RootKey:
    """The access key of the account's root user, made once for a data folder."""

    access_key_id: str
    secret: str


class Identity(Protocol):
    """Implemented by services/iam."""

    def find_credential(self, access_key_id: str, token: str | None, service: str) -> Credential:
        """The secret and the principal of an access key. Raises InvalidClientTokenId (InvalidAccessKeyId for S3,
        UnrecognizedClientException for JSON services) and ExpiredToken."""

    def find_service_credential(self, service: str, user_name: str, password: str) -> Principal | None:
        """The user who generated this user name and password for a service (`codecommit.amazonaws.com`)."""

    def assume_for_service(
        self, role_arn: str, service: str, session: str, through: str | None = None
    ) -> Principal:
        """The session of a role that an AWS service (`ecs.amazonaws.com`) assumes, or that it assumes as another
        role that it is in (`through`). Raises AccessDenied unless the role's trust policy lets it."""

    def issue_container_credentials(self, role_arn: str, service: str, session: str) -> str:
        """Let a container act as a role in a session of its own: the id under which it finds its credentials."""

    def revoke_container_credentials(self, session: str) -> None:
        """The container is gone: nothing finds credentials of its session any more."""

    def container_credentials(self, id: str) -> dict[str, Any] | None:
        """The answer of the container credentials endpoint, or None when there is no such id."""

    def role_credentials(self, role_arn: str, service: str, session: str) -> dict[str, Any]:
        """Temporary credentials of a role that a service assumes. Raises AccessDenied."""

    async def authorize(self, call: Call, operation: Operation | None) -> None:
        """Raise AccessDenied unless the call's principal may make it. `operation` is None for calls that are
        answered elsewhere. Fills in `call.decision`."""

    async def check_passing(self, call: Call, roles: Iterable[str], service: str) -> None:
        """Raise AccessDenied unless the call's principal may pass these roles, which its members do not name
        themselves, to a service (`ecs-tasks.amazonaws.com`)."""


def root_key(store: Store) -> RootKey:
    """The root user's access key of this data folder."""
    rows = store.execute("SELECT value FROM engine_settings WHERE name = 'root_key'")
    if rows:
        return RootKey(**json.loads(rows[0]["value"]))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    key = RootKey("AKIA" + "".join(secrets.choice(alphabet) for _ in range(16)), secrets.token_urlsafe(30))
    value = json.dumps({"access_key_id": key.access_key_id, "secret": key.secret})
    store.execute("INSERT INTO engine_settings VALUES ('root_key', ?)", value)
    return key
