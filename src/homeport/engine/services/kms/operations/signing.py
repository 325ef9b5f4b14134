"""Signatures and message authentication codes. https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from homeport.engine.services.context import Context
from homeport.engine.services.kms.keys import Body, find_key, live_key, usable_key
from homeport.engine.services.kms.material import PrivateKey, Vault, private_key, public_key
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


@operation
async def get_public_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = live_key(find_key(ctx, request["KeyId"]))
    if key["KeySpec"].startswith(("SYMMETRIC", "HMAC")):
        raise AwsError("UnsupportedOperationException", f"{key['Arn']} is not an asymmetric key.")
    members = ("KeySpec", "CustomerMasterKeySpec", "KeyUsage", "SigningAlgorithms", "EncryptionAlgorithms")
    shown = {member: key[member] for member in members if member in key}
    return {"KeyId": key["Arn"], "PublicKey": public_key(ctx.engine.part(Vault).opened(key)), **shown}


@operation
async def sign(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key, private, digest = _prepared(ctx, request, "Sign")
    algorithm = request["SigningAlgorithm"]
    if isinstance(private, rsa.RSAPrivateKey):
        signature = private.sign(digest, _padding(algorithm), Prehashed(_hash(algorithm)))
    else:
        signature = private.sign(digest, ec.ECDSA(Prehashed(_hash(algorithm))))
    return {"KeyId": key["Arn"], "Signature": signature, "SigningAlgorithm": algorithm}


@operation
async def verify(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key, private, digest = _prepared(ctx, request, "Verify")
    algorithm, signature = request["SigningAlgorithm"], request["Signature"]
    try:
        if isinstance(private, rsa.RSAPrivateKey):
            prehashed = Prehashed(_hash(algorithm))
            private.public_key().verify(signature, digest, _padding(algorithm), prehashed)
        else:
            private.public_key().verify(signature, digest, ec.ECDSA(Prehashed(_hash(algorithm))))
    except InvalidSignature:
        raise AwsError(
            "KMSInvalidSignatureException", "The signature does not belong to this message and this key."
        ) from None
    return {"KeyId": key["Arn"], "SignatureValid": True, "SigningAlgorithm": algorithm}


@operation
async def generate_mac(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key, mac = _mac(ctx, request, "GenerateMac")
    return {"KeyId": key["Arn"], "Mac": mac, "MacAlgorithm": request["MacAlgorithm"]}


@operation
async def verify_mac(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key, mac = _mac(ctx, request, "VerifyMac")
    if not hmac.compare_digest(mac, request["Mac"]):
        raise AwsError("KMSInvalidMacException", "The MAC does not belong to this message and this key.")
    return {"KeyId": key["Arn"], "MacValid": True, "MacAlgorithm": request["MacAlgorithm"]}


def _prepared(ctx: Context, request: dict[str, Any], name: str) -> tuple[Body, PrivateKey, bytes]:
    key = usable_key(ctx, request["KeyId"], "SIGN_VERIFY", name)
    algorithm, message = request["SigningAlgorithm"], request["Message"]
    if algorithm not in key["SigningAlgorithms"]:
        raise AwsError(
            "InvalidKeyUsageException", f"Algorithm {algorithm} and key spec {key['KeySpec']} do not match."
        )
    digest = message
    if (request.get("MessageType") or "RAW") == "RAW":
        hasher = hashes.Hash(_hash(algorithm))
        hasher.update(message)
        digest = hasher.finalize()
    elif len(message) != _hash(algorithm).digest_size:
        raise AwsError("ValidationException", f"Digest is of an invalid length for the algorithm {algorithm}")
    return key, private_key(ctx.engine.part(Vault).opened(key)), digest


def _mac(ctx: Context, request: dict[str, Any], name: str) -> tuple[Body, bytes]:
    key = usable_key(ctx, request["KeyId"], "GENERATE_VERIFY_MAC", name)
    algorithm = request["MacAlgorithm"]
    if algorithm not in key["MacAlgorithms"]:
        raise AwsError(
            "InvalidKeyUsageException", f"Algorithm {algorithm} and key spec {key['KeySpec']} do not match."
        )
    material = ctx.engine.part(Vault).opened(key)
    return key, hmac.new(material, request["Message"], getattr(hashlib, f"sha{algorithm[-3:]}")).digest()


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return _DIGESTS[algorithm[-3:]]


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if "PSS" in algorithm:
        digest = _hash(algorithm)
        return padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    return padding.PKCS1v15()
