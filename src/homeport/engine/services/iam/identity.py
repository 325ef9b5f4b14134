"""The engine's identity: whose key signed a call, who acts for a service, what containers act as.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id.html
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from homeport.engine.services.iam import tables
from homeport.engine.services.iam.authorization import Authorization
from homeport.engine.services.iam.passwords import is_password
from homeport.engine.services.iam.permissions import PermissionBook
from homeport.engine.services.iam.sessions import Expired, Sessions
from homeport.engine.services.identity import root_key
from homeport.engine.services.seal import Seal
from homeport.engine.services.service import Operation
from homeport.engine.store.database import Place, Scope
from homeport.engine.wire import model
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Credential, Principal, root
from homeport.engine.wire.principal import service as service_principal

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

CONTAINER_SESSION = 6 * 3600
LAST_USED_PRECISION = 15 * 60


class IamIdentity:
    """Implements the engine's Identity on IAM's tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        key = root_key(engine.store)
        self._root = Credential(key.access_key_id, key.secret, root(engine.account, key.access_key_id))
        self._last_used: dict[str, float] = {}
        self.seal = Seal(engine.store)
        self.sessions = Sessions(self.seal)
        self.book = PermissionBook(engine.store)
        self.authorization = Authorization(engine, self.book, self.seal)

    def find_credential(self, access_key_id: str, token: str | None, service: str) -> Credential:
        """The secret and the principal of an access key. Raises InvalidClientTokenId (InvalidAccessKeyId for S3,
        UnrecognizedClientException for JSON services) and ExpiredToken."""
        if token:
            try:
                found = self.sessions.credential(access_key_id, token, self._engine.now())
            except Expired:
                raise _expired(service) from None
            if found is None:
                raise _unknown(service)
            return found
        if access_key_id == self._root.access_key_id:
            return self._root
        return self._user_credential(access_key_id, service)

    def assume_for_service(
        self, role_arn: str, service: str, session: str, through: str | None = None
    ) -> Principal:
        """The session of a role that an AWS service (`ecs.amazonaws.com`) assumes, or that it assumes as another
        role that it is in (`through`). Raises AccessDenied unless the role's trust policy lets it, and for
        `through` that role's own policies too."""
        account, region = self._engine.account, self._engine.region
        caller = service_principal(service.removesuffix(".amazonaws.com"), account)
        if through:
            caller = self.assume_for_service(through, service, session)
        role = self.authorization.role(role_arn)
        if role is None:
            raise AwsError(
                "AccessDenied",
                f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn} because "
                "there is no such role",
                403,
            )
        self.authorization.check_assumption(caller, role, session, region)
        return role_session(role, session, account, service=service)

    def issue_container_credentials(self, role_arn: str, service: str, session: str) -> str:
        """Let a container act as a role in a session of its own: the id under which it finds its credentials, the same
        whenever it is asked for."""
        self.assume_for_service(role_arn, service, session)
        body = {"role": role_arn, "service": service, "session": session}
        for known in tables.CONTAINER_CREDENTIALS.list(self._place(), session=session):
            if known == {**body, "id": known["id"]}:
                return str(known["id"])
        body["id"] = secrets.token_hex(16)
        tables.CONTAINER_CREDENTIALS.put(self._place(), body)
        return body["id"]

    def revoke_container_credentials(self, session: str) -> None:
        """The container is gone: nothing finds credentials of its session any more."""
        for known in tables.CONTAINER_CREDENTIALS.list(self._place(), session=session):
            tables.CONTAINER_CREDENTIALS.delete(self._place(), known["id"])

    def container_credentials(self, id: str) -> dict[str, Any] | None:
        """The answer of the container credentials endpoint, or None when there is no such id. Raises AccessDenied
        when the role is gone or no longer trusts the service."""
        body = tables.CONTAINER_CREDENTIALS.get(self._place(), id)
        return self.role_credentials(body["role"], body["service"], body["session"]) if body else None

    def role_credentials(self, role_arn: str, service: str, session: str) -> dict[str, Any]:
        """Temporary credentials of a role that a service assumes. Raises AccessDenied."""
        principal = self.assume_for_service(role_arn, service, session)
        issued = self.sessions.issue(principal, CONTAINER_SESSION, self._engine.now())
        return {
            "RoleArn": role_arn,
            "AccessKeyId": issued["AccessKeyId"],
            "SecretAccessKey": issued["SecretAccessKey"],
            "Token": issued["SessionToken"],
            "Expiration": issued["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    async def authorize(self, call: Call, operation: Operation | None) -> None:
        """Raise AccessDenied unless the call's principal may make it."""
        self._note_use(call)
        await self.authorization.authorize(call, operation)

    async def check_passing(self, call: Call, roles: Iterable[str], service: str) -> None:
        """Raise AccessDenied unless the call's principal may pass these roles to a service."""
        await self.authorization.check_passing(call, roles, service)

    def _user_credential(self, access_key_id: str, service: str) -> Credential:
        at = self._place()
        key = tables.ACCESS_KEYS.get(at, access_key_id)
        user = tables.USERS.get(at, key["UserName"]) if key and key["Status"] == "Active" else None
        if key is None or user is None:
            raise _unknown(service)
        principal = Principal("User", at.scope.account, user["Arn"], user["UserId"], access_key_id)
        return Credential(access_key_id, key["SecretAccessKey"], principal)

    def find_service_credential(self, service: str, user_name: str, password: str) -> Principal | None:
        """The user who generated this user name and password for a service (`codecommit.amazonaws.com`)."""
        at = self._place()
        for found in tables.SERVICE_CREDENTIALS.list(at, ServiceUserName=user_name):
            right = is_password(password, found["PasswordHash"])
            user = tables.USERS.get(at, found["UserName"])
            if right and user and found["ServiceName"] == service and found["Status"] == "Active":
                return Principal("User", at.scope.account, user["Arn"], user["UserId"])
        return None

    def _note_use(self, call: Call) -> None:
        """Keep when a user's key was last used, to a quarter of an hour: each call must not cost a write."""
        id = call.principal.access_key_id
        now = self._engine.now()
        if (
            call.principal.type != "User"
            or id is None
            or now - self._last_used.get(id, 0) < LAST_USED_PRECISION
        ):
            return
        self._last_used[id] = now
        if key := tables.ACCESS_KEYS.get(self._place(), id):
            used = {"LastUsedDate": now, "ServiceName": call.service, "Region": call.region}
            tables.ACCESS_KEYS.put(self._place(), key | {"LastUsed": used})

    def _place(self) -> Place:
        return Place(self._engine.store, Scope(self._engine.account, tables.GLOBAL))


def role_session(role: dict[str, Any], session: str, account: str, service: str | None = None) -> Principal:
    """A role's session. `service` is the AWS service that acts in it, if one does."""
    name = "".join(letter if letter.isalnum() or letter in "+=,.@-_" else "-" for letter in session)[:64]
    return Principal(
        "AssumedRole",
        account,
        f"arn:aws:sts::{account}:assumed-role/{role['RoleName']}/{name}",
        f"{role['RoleId']}:{name}",
        issuer=role["Arn"],
        session_context={"service": service} if service else {},
    )


def _unknown(service: str) -> AwsError:
    protocol = _protocol(service)
    if service == "s3":
        return AwsError(
            "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
        )
    if protocol.startswith(("json", "rest-json")):
        code, status = "UnrecognizedClientException", 403 if protocol == "rest-json" else 400
        return AwsError(code, "The security token included in the request is invalid.", status)
    return AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def _expired(service: str) -> AwsError:
    protocol = _protocol(service)
    if service == "s3":
        return AwsError("ExpiredToken", "The provided token has expired.", 400)
    if protocol.startswith(("json", "rest-json")):
        code, status = "ExpiredTokenException", 403 if protocol == "rest-json" else 400
        return AwsError(code, "The security token included in the request is expired", status)
    return AwsError("ExpiredToken", "The security token included in the request is expired", 403)


def _protocol(signing_name: str) -> str:
    candidates = model.by_signing_name(signing_name)
    return candidates[0].protocol if candidates else "query"
