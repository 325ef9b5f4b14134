"""Server certificates, which HTTPS listeners use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import SERVER_CERTIFICATE, Body, checked_tags, listed
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from cryptography import x509

_METADATA = ("Path", "ServerCertificateName", "ServerCertificateId", "Arn", "UploadDate", "Expiration")


@operation
async def upload_server_certificate(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    certificate = _checked(request["CertificateBody"], request["PrivateKey"])
    body = SERVER_CERTIFICATE.create(
        at,
        request["ServerCertificateName"],
        request.get("Path"),
        CertificateBody=request["CertificateBody"].strip() + "\n",
        PrivateKey=request["PrivateKey"].strip() + "\n",
        CertificateChain=request.get("CertificateChain"),
        UploadDate=ctx.now(),
        Expiration=certificate.not_valid_after_utc.timestamp(),
        Tags=checked_tags(request.get("Tags")) or None,
    )
    tables.SERVER_CERTIFICATES.put(at, body)
    tags = {"Tags": body["Tags"]} if "Tags" in body else {}
    return {"ServerCertificateMetadata": _metadata(body), **tags}


@operation
async def get_server_certificate(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    body = SERVER_CERTIFICATE.get(tables.everywhere(ctx), request["ServerCertificateName"])
    members = ("CertificateBody", "CertificateChain", "Tags")
    shown = {member: body[member] for member in members if body.get(member)}
    return {"ServerCertificate": {"ServerCertificateMetadata": _metadata(body), **shown}}


@operation
async def list_server_certificates(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    bodies = tables.SERVER_CERTIFICATES.list(tables.everywhere(ctx))
    return listed(
        "ServerCertificateMetadataList",
        bodies,
        request,
        lambda body: body["ServerCertificateName"],
        _metadata,
    )


@operation
async def update_server_certificate(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    body = SERVER_CERTIFICATE.get(at, request["ServerCertificateName"])
    name = request.get("NewServerCertificateName") or body["ServerCertificateName"]
    path = request.get("NewPath") or body["Path"]
    if name != body["ServerCertificateName"] and tables.SERVER_CERTIFICATES.get(at, name):
        raise AwsError("EntityAlreadyExists", f"The Server Certificate with name {name} already exists.")
    arn = at.arn(f"server-certificate{path}{name}", service="iam", region="")
    with at.store.transaction():
        tables.SERVER_CERTIFICATES.delete(at, body["ServerCertificateName"])
        tables.SERVER_CERTIFICATES.put(at, body | {"ServerCertificateName": name, "Path": path, "Arn": arn})
    return {}


@operation
async def delete_server_certificate(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    body = SERVER_CERTIFICATE.get(at, request["ServerCertificateName"])
    tables.SERVER_CERTIFICATES.delete(at, body["ServerCertificateName"])
    return {}


def _checked(certificate: str, key: str) -> x509.Certificate:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        parsed = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        raise AwsError(
            "MalformedCertificate",
            "Unable to parse certificate. Please ensure the certificate is in PEM format.",
        ) from None
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AwsError(
            "MalformedCertificate",
            "Unable to parse the private key. Please ensure the key is in PEM format and not encrypted.",
        ) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != parsed.public_key().public_bytes(*form):
        raise AwsError("KeyPairMismatch", "The private key does not belong to the certificate.")
    return parsed


def _metadata(body: Body) -> Body:
    return {member: body[member] for member in _METADATA}
