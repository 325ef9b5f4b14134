"""Who a git client is: a signature made by the aws cli's credential helper, or generated git credentials.

The helper signs a request with the method GIT: its user name is the access key (`%` and the session token), its
password the time and the signature (`20260102T030405Z<64 hex digits>`). Region, host and path are signed, but not
sent: they are those of the request.
https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote

from homeport.engine.wire.constant_time import same
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request
from homeport.engine.wire.principal import Principal
from homeport.engine.wire.signing import ALGORITHM, MAX_SKEW

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

_SIGNATURE = re.compile(r"^(\d{8}T\d{6})Z([0-9a-f]{64})$")
_REPOSITORY = re.compile(r"^/v1/repos/[\w.-]+?(?=/info/refs$|/git-[a-z-]+$)")


def authenticate(engine: Engine, request: Request, region: str) -> Principal:
    """The principal of a git request. Raises Unauthorized."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        _unauthorized("git has to send credentials: set up git's credential helper for AWS CodeCommit")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        _unauthorized("the credentials cannot be read")
    if signed := _SIGNATURE.match(password):
        return _signed(engine, request, region, user, signed[1], signed[2])
    principal = engine.identity.find_service_credential("codecommit.amazonaws.com", user, password)
    if principal is None:
        _unauthorized("the user name or the password is wrong")
    return principal


def _signed(
    engine: Engine, request: Request, region: str, user: str, moment: str, signature: str
) -> Principal:
    key, _, token = user.partition("%")
    try:
        credential = engine.find_credential(key, unquote(token) or None, "codecommit")
    except AwsError as error:
        _unauthorized(error.message)
    if credential.secret == "":
        return credential.principal
    signed_at = datetime.strptime(moment, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
    if abs(engine.now() - signed_at) > MAX_SKEW:
        _unauthorized("the signature has expired")
    host = request.headers.get("host", "").partition(":")[0]
    if not any(
        same(sign(credential.secret, region, host, path, moment), signature) for path in _paths(request.path)
    ):
        _unauthorized(
            "the signature does not match: the helper must sign for region "
            f"{region}, and git must hand it the path (credential.UseHttpPath)"
        )
    return credential.principal


def _paths(path: str) -> list[str]:
    """What may have been signed: the repository's URL as it was given to git, with or without `.git`."""
    found = _REPOSITORY.match(path)
    base = found[0] if found else path
    return [base, f"{base}.git", f"{base}/"]


def sign(secret: str, region: str, host: str, path: str, moment: str) -> str:
    """The signature of the credential helper, in hex. `moment` is `20260102T030405`."""
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    scope = f"{moment[:8]}/{region}/codecommit/aws4_request"
    text = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in (moment[:8], region, "codecommit", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def _unauthorized(why: str) -> NoReturn:
    raise AwsError("Unauthorized", f"AWS CodeCommit does not know who this is: {why}.", 401)
