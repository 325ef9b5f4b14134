"""Certificates of HTTPS listeners: made here, for the names that the real ones have.

The private keys of ACM's and IAM's certificates never leave AWS. So the engine's own authority issues a certificate
for the load balancer's name, and one for each name of the certificates that the listener was given.
"""

from __future__ import annotations

from typing import Any

from homeport.engine.proxy.model import Certificate
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


async def names_of(ctx: Context, arns: list[str]) -> dict[str, list[str]]:
    """The host names of each certificate. Raises CertificateNotFound."""
    return {arn: await _names(ctx, arn) for arn in arns}


def load(engine: Engine, balancer: Body, listener: Body) -> tuple[Certificate, ...]:
    """The certificates that Envoy serves for a listener, the one for the load balancer's name first."""
    if listener["Protocol"] != "HTTPS":
        return ()
    names = [
        balancer["DNSName"],
        *(name for found in listener["certificateNames"].values() for name in found),
    ]
    return tuple(_issue(engine, name) for name in dict.fromkeys(names))


async def _names(ctx: Context, arn: str) -> list[str]:
    try:
        if ":acm:" in arn:
            answer = await ctx.client("acm", as_service=True).describe_certificate(CertificateArn=arn)
            found = answer["Certificate"]
            return [found["DomainName"], *found.get("SubjectAlternativeNames", [])]
        name = arn.rsplit("/", 1)[-1]
        answer = await ctx.client("iam", as_service=True).get_server_certificate(ServerCertificateName=name)
        return _subjects(answer["ServerCertificate"]["CertificateBody"])
    except AwsError as error:
        raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found: {error.message}") from error


def _subjects(pem: str) -> list[str]:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(each.value) for each in common]
    return names.get_values_for_type(x509.DNSName)


def _issue(engine: Engine, name: str) -> Certificate:
    chain, key = engine.authority.issue(name)
    return Certificate(chain.read_text(), key.read_text())
