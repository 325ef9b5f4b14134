"""The engine's own certificate authority: containers trust it for the names under amazonaws.com that lead here."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PUBLIC = "public.ecr.aws"
_VALID = timedelta(days=3650)
_LEAF_VALID = timedelta(days=397)


class Authority:
    """A certificate authority in a folder: `ca.pem`, `ca.key` (0600) and one pair of files for each leaf."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def certificate(self) -> Path:
        """The authority's certificate (PEM), made on first use."""
        pem, key_file = self._folder / "ca.pem", self._folder / "ca.key"
        if not pem.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "homeport local authority")])
            builder = _builder(name, name, key, _VALID).add_extension(
                x509.BasicConstraints(True, 0), critical=True
            )
            _write(key_file, _key_pem(key), 0o600)
            _write(pem, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)
        return pem

    def issue(self, name: str) -> tuple[Path, Path]:
        """The certificate chain and the key (PEM files) of a leaf for a host name, or `*.` and a domain."""
        stem = name.replace("*", "_wildcard")
        if not stem or "/" in stem or stem.startswith("."):
            raise ValueError(f"not a host name: {name!r}")
        pem, key_file = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        if pem.exists() and not _ends_soon(pem):
            return pem, key_file
        loaded = serialization.load_pem_private_key((self._folder / "ca.key").read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        builder = (
            _builder(subject, authority.subject, key, _LEAF_VALID)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
        )
        leaf = builder.sign(loaded, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        _write(key_file, _key_pem(key), 0o600)
        _write(pem, leaf + self.certificate.read_bytes(), 0o644)
        return pem, key_file

    def server_context(self, default: str) -> ssl.SSLContext:
        """A TLS server that has a certificate for whatever name under amazonaws.com a client asks for, and for that
        of ECR's public gallery."""
        context = self._context(default)
        contexts = {default: context}

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name and (name.endswith(".amazonaws.com") or name == PUBLIC) and "/" not in name:
                if name not in contexts:
                    contexts[name] = self._context(name)
                connection.context = contexts[name]

        context.sni_callback = choose
        return context

    def _context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name))
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + valid)
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(file: Path, data: bytes, mode: int) -> None:
    file.touch(mode=mode)
    file.write_bytes(data)


def _ends_soon(pem: Path) -> bool:
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    return certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=1)
