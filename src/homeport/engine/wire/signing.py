"""Signature Version 4: by header, by presigned query, and of uploads in chunks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from homeport.engine.wire import signing_legacy
from homeport.engine.wire.constant_time import same
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request
from homeport.engine.wire.routing import s3_path

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_MOMENT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
MAX_SKEW = 15 * 60
MAX_PRESIGNED = 7 * 24 * 3600

_HEADER = re.compile(r"^AWS4-HMAC-SHA256\s+(.*)$")
_SPACES = re.compile("  +")
_CREDENTIAL = re.compile(r"^([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request$")


class Signature(NamedTuple):
    """What a request says of how it was signed. `expires` is set for presigned requests: seconds from when they
    were signed, or for `legacy` ones (Signature Version 2) since the epoch."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    moment: str
    token: str | None
    payload: str | None
    expires: int | None = None
    legacy: bool = False

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def presigned(self) -> bool:
        return self.expires is not None


def read(request: Request) -> Signature | None:
    """How the request is signed; None when it is not. Raises IncompleteSignature when what stands there cannot be
    read, and the error for signature versions that AWS retired."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("AWS "):
        raise AwsError(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            400,
        )
    if found := _HEADER.match(authorization):
        return _by_header(found[1], request)
    if request.parameter("X-Amz-Algorithm") is not None:
        return _by_query(request)
    return _by_legacy_query(request) if signing_legacy.is_legacy(request) else None


def _by_legacy_query(request: Request) -> Signature:
    expires = request.parameter("Expires") or ""
    if not expires.isdecimal():
        raise AwsError("AccessDenied", f"Invalid date (should be seconds since epoch): {expires[:64]}", 403)
    return Signature(
        access_key_id=request.parameter("AWSAccessKeyId") or "",
        date="",
        region="aws-global",
        service="s3",
        signed_headers=(),
        value=request.parameter("Signature") or "",
        moment="",
        token=request.parameter("x-amz-security-token"),
        payload=UNSIGNED_PAYLOAD,
        expires=int(expires),
        legacy=True,
    )


def _by_header(fields: str, request: Request) -> Signature:
    parts = dict([part.strip().partition("=")[::2] for part in fields.split(",")])
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
    if missing:
        needs = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise AwsError("IncompleteSignature", f"{needs} Authorization={ALGORITHM}", 400)
    key, date, region, service = _credential(parts["Credential"])
    moment = request.headers.get("x-amz-date") or request.headers.get("date", "")
    return Signature(
        access_key_id=key,
        date=date,
        region=region,
        service=service,
        signed_headers=tuple(parts["SignedHeaders"].lower().split(";")),
        value=parts["Signature"],
        moment=moment,
        token=request.headers.get("x-amz-security-token"),
        payload=request.headers.get("x-amz-content-sha256"),
    )


def _by_query(request: Request) -> Signature:
    if request.parameter("X-Amz-Algorithm") != ALGORITHM:
        raise AwsError(
            "AuthorizationQueryParametersError", f'X-Amz-Algorithm only supports "{ALGORITHM}"', 400
        )
    names = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date")
    values = [request.parameter(name) for name in names]
    if not all(values):
        raise AwsError(
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            400,
        )
    credential, headers, value, moment = (str(item) for item in values)
    expires = request.parameter("X-Amz-Expires") or "900"
    if not expires.isdecimal() or not 0 < int(expires) <= MAX_PRESIGNED:
        raise AwsError(
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be a number of seconds from 1 to 604800, which are seven days.",
            400,
        )
    key, date, region, service = _credential(credential)
    return Signature(
        access_key_id=key,
        date=date,
        region=region,
        service=service,
        signed_headers=tuple(headers.lower().split(";")),
        value=value,
        moment=moment,
        token=request.parameter("X-Amz-Security-Token"),
        payload=request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD),
        expires=int(expires),
    )


def _credential(value: str) -> tuple[str, str, str, str]:
    found = _CREDENTIAL.match(value)
    if not found:
        raise AwsError(
            "IncompleteSignature",
            f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{value[:128]}'",
            400,
        )
    return found[1], found[2], found[3], found[4]


def check_time(signature: Signature, now: float) -> None:
    """Refuse a request that was signed too long ago, or that is not signed for now."""
    if signature.legacy:
        if now > (signature.expires or 0):
            raise AwsError("AccessDenied", "Request has expired", 403)
        return
    try:
        if not _MOMENT.fullmatch(signature.moment):
            raise ValueError
        signed = datetime.fromisoformat(signature.moment).timestamp()
    except ValueError:
        raise AwsError(
            "IncompleteSignature",
            f"Date must be in ISO-8601 'basic format'. Got '{signature.moment[:64]}'. See "
            "http://en.wikipedia.org/wiki/ISO_8601",
            400,
        ) from None
    if signature.expires is not None:
        if now > signed + signature.expires:
            raise AwsError("AccessDenied", "Request has expired", 403)
        if signed > now + MAX_SKEW:
            raise AwsError("AccessDenied", "Request is not valid yet", 403)
        return
    if abs(now - signed) > MAX_SKEW:
        if signature.service == "s3":
            raise AwsError(
                "RequestTimeTooSkewed",
                "The difference between the request time and the server's time is too large.",
                403,
            )
        clock = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        late = "expired" if signed < now else "not yet current"
        raise AwsError(
            "SignatureDoesNotMatch",
            f"Signature {late}: {signature.moment} is more than 15 min from the engine's time {clock}. "
            "Set this machine's clock right.",
            403,
        )


def verify(signature: Signature, request: Request, secret: str, payload_hash: str) -> None:
    """Raise SignatureDoesNotMatch unless the secret made this signature for this request."""
    if signature.legacy:
        # Clients sign the path with the bucket, also when they send the bucket in the host name.
        expected = signing_legacy.sign(request, s3_path(request), secret)
        if not same(expected, signature.value):
            raise _mismatch(signature)
        return
    if "host" not in signature.signed_headers and not signature.presigned:
        raise _mismatch(signature)
    canonical = canonical_request(signature, request, payload_hash)
    expected = string_signature(secret, signature, sha256(canonical.encode("utf-8", "surrogateescape")))
    if not same(expected, signature.value):
        raise _mismatch(signature)


def canonical_request(signature: Signature, request: Request, payload_hash: str) -> str:
    """The canonical form of the request, as the client built it."""
    headers = "".join(
        [f"{name}:{_squeeze(request.headers.get(name, ''))}\n" for name in signature.signed_headers]
    )
    signed = ";".join(signature.signed_headers)
    path = _canonical_path(request.raw_path, signature.service)
    return "\n".join((request.method, path, _canonical_query(request), headers, signed, payload_hash))


def _canonical_path(raw_path: str, service: str) -> str:
    if service == "s3":
        return quote(unquote(raw_path, errors="surrogateescape"), safe="/~", errors="surrogateescape") or "/"
    return quote(raw_path, safe="/~") if len(raw_path) > 1 else "/"


def _canonical_query(request: Request) -> str:
    if not request.query:
        return ""
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.query
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def _squeeze(value: str) -> str:
    return _SPACES.sub(" ", value.strip())


def string_signature(secret: str, signature: Signature, canonical_hash: str) -> str:
    """The signature over a canonical request's hash."""
    text = "\n".join((ALGORITHM, signature.moment, signature.scope, canonical_hash))
    return _sign(signing_key(secret, signature.date, signature.region, signature.service), text)


@lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> hmac.HMAC:
    """The key derived from the secret for one day, region and service, ready for messages: `_sign` copies it."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def chunk_verifier(secret: str, signature: Signature) -> Callable[[str, bytes, bool], None]:
    """A check for the chunks of one upload, in their order: `check(signature, data, trailer)`.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """
    key = signing_key(secret, signature.date, signature.region, signature.service)
    previous = signature.value

    def check(value: str, data: bytes, trailer: bool = False) -> None:
        nonlocal previous
        if trailer:
            lines = [f"{ALGORITHM}-TRAILER", signature.moment, signature.scope, previous, sha256(data)]
        else:
            lines = [
                f"{ALGORITHM}-PAYLOAD",
                signature.moment,
                signature.scope,
                previous,
                EMPTY_SHA256,
                sha256(data),
            ]
        if not same(_sign(key, "\n".join(lines)), value):
            raise _mismatch(signature)
        previous = value

    return check


def sha256(data: bytes) -> str:
    """The hex digest of some bytes."""
    return hashlib.sha256(data).hexdigest()


def _sign(key: hmac.HMAC, text: str) -> str:
    message = key.copy()
    message.update(text.encode())
    return message.hexdigest()


def _mismatch(signature: Signature) -> AwsError:
    return AwsError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        f"Access Key and signing method (the request was signed with the key {signature.access_key_id}).",
        403,
    )
