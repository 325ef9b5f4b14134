"""Key material: made for a key spec, sealed at rest, read when it is used.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from homeport.engine.services.seal import Seal

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_RSA = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
_BYTES = {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
SPECS = {*_RSA, *_CURVES, *_BYTES}


class Vault:
    """Seals and opens the material of one engine's keys."""

    def __init__(self, engine: Engine) -> None:
        self._seal = Seal(engine.store)

    def sealed(self, key_id: str, material: bytes) -> str:
        """Material as it is kept in a key's row."""
        return self._seal.close({"material": base64.b64encode(material).decode()}, f"kms/{key_id}")

    def opened(self, key: dict[str, Any], index: int = -1) -> bytes:
        """A key's material: its latest, or the one of an index."""
        body = self._seal.open(key["Materials"][index], f"kms/{key['KeyId']}")
        if body is None:
            raise RuntimeError(f"the material of key {key['KeyId']} was not sealed by this engine")
        return base64.b64decode(body["material"])


def new_material(spec: str) -> bytes:
    """Fresh material: random bytes, or a private key as DER."""
    if spec in _BYTES:
        return os.urandom(_BYTES[spec])
    key: PrivateKey
    if spec in _RSA:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA[spec])
    else:
        key = ec.generate_private_key(_CURVES[spec])
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def private_key(material: bytes) -> PrivateKey:
    """The private key of an asymmetric key's material."""
    key = load_der_private_key(material, None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return key


def public_key(material: bytes) -> bytes:
    """Its public key, as DER."""
    return private_key(material).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
