"""Encryption by keys. https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html"""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from homeport.engine.services.context import Context
from homeport.engine.services.kms import ciphertext
from homeport.engine.services.kms.ciphertext import InvalidCiphertext
from homeport.engine.services.kms.keys import SYMMETRIC, Body, find_key, usable_key
from homeport.engine.services.kms.material import Vault, new_material, private_key, public_key
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_USAGE = "ENCRYPT_DECRYPT"
_DATA_KEYS = {"AES_256": 32, "AES_128": 16}


@operation
async def encrypt(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = usable_key(ctx, request["KeyId"], _USAGE, "Encrypt")
    _stop_if_dry(request)
    algorithm = _algorithm(key, request.get("EncryptionAlgorithm"))
    blob = _encrypted(ctx, key, request["Plaintext"], request.get("EncryptionContext") or {}, algorithm)
    return {"CiphertextBlob": blob, "KeyId": key["Arn"], "EncryptionAlgorithm": algorithm}


@operation
async def decrypt(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    algorithm = request.get("EncryptionAlgorithm") or SYMMETRIC
    key, plaintext = _decrypted(
        ctx,
        request["CiphertextBlob"],
        request.get("KeyId"),
        request.get("EncryptionContext") or {},
        algorithm,
    )
    _stop_if_dry(request)
    return {"KeyId": key["Arn"], "Plaintext": plaintext, "EncryptionAlgorithm": algorithm}


@operation
async def re_encrypt(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    source_algorithm = request.get("SourceEncryptionAlgorithm") or SYMMETRIC
    source, plaintext = _decrypted(
        ctx,
        request["CiphertextBlob"],
        request.get("SourceKeyId"),
        request.get("SourceEncryptionContext") or {},
        source_algorithm,
    )
    target = usable_key(ctx, request["DestinationKeyId"], _USAGE, "ReEncrypt")
    algorithm = _algorithm(target, request.get("DestinationEncryptionAlgorithm"))
    _stop_if_dry(request)
    context = request.get("DestinationEncryptionContext") or {}
    return {
        "CiphertextBlob": _encrypted(ctx, target, plaintext, context, algorithm),
        "SourceKeyId": source["Arn"],
        "KeyId": target["Arn"],
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }


@operation
async def generate_data_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _data_key(ctx, request, "GenerateDataKey")


@operation
async def generate_data_key_without_plaintext(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    answer = _data_key(ctx, request, "GenerateDataKeyWithoutPlaintext")
    del answer["Plaintext"]
    return answer


@operation
async def generate_data_key_pair(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _data_key_pair(ctx, request, "GenerateDataKeyPair")


@operation
async def generate_data_key_pair_without_plaintext(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    answer = _data_key_pair(ctx, request, "GenerateDataKeyPairWithoutPlaintext")
    del answer["PrivateKeyPlaintext"]
    return answer


@operation
async def generate_random(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"Plaintext": os.urandom(request.get("NumberOfBytes") or 32)}


def _data_key(ctx: Context, request: dict[str, Any], name: str) -> Body:
    size, spec = request.get("NumberOfBytes"), request.get("KeySpec")
    if (size is None) == (spec is None):
        raise AwsError("ValidationException", "Please specify either number of bytes or key spec.")
    key = _symmetric(usable_key(ctx, request["KeyId"], _USAGE, name), name)
    _stop_if_dry(request)
    plaintext = os.urandom(size or _DATA_KEYS[spec or ""])
    blob = _encrypted(ctx, key, plaintext, request.get("EncryptionContext") or {}, SYMMETRIC)
    return {"Plaintext": plaintext, "CiphertextBlob": blob, "KeyId": key["Arn"]}


def _data_key_pair(ctx: Context, request: dict[str, Any], name: str) -> Body:
    key = _symmetric(usable_key(ctx, request["KeyId"], _USAGE, name), name)
    _stop_if_dry(request)
    material = new_material(request["KeyPairSpec"])
    blob = _encrypted(ctx, key, material, request.get("EncryptionContext") or {}, SYMMETRIC)
    return {
        "PrivateKeyPlaintext": material,
        "PrivateKeyCiphertextBlob": blob,
        "PublicKey": public_key(material),
        "KeyId": key["Arn"],
        "KeyPairSpec": request["KeyPairSpec"],
    }


def _encrypted(ctx: Context, key: Body, plaintext: bytes, context: dict[str, str], algorithm: str) -> bytes:
    material = ctx.engine.part(Vault).opened(key)
    if algorithm == SYMMETRIC:
        index = len(key["Materials"]) - 1
        return ciphertext.encrypt(key["KeyId"], material, index, plaintext, context)
    private = private_key(material)
    assert isinstance(private, rsa.RSAPrivateKey)
    try:
        return private.public_key().encrypt(plaintext, _oaep(algorithm))
    except ValueError:
        raise AwsError(
            "ValidationException", f"The plaintext is too long for {algorithm} and this key."
        ) from None


def _decrypted(
    ctx: Context, blob: bytes, name: str | None, context: dict[str, str], algorithm: str
) -> tuple[Body, bytes]:
    if algorithm != SYMMETRIC:
        if name is None:
            raise AwsError("ValidationException", f"A KeyId is needed to decrypt by {algorithm}.")
        return _decrypted_by_rsa(ctx, blob, name, algorithm)
    try:
        key_id, index = ciphertext.key_of(blob)
    except InvalidCiphertext:
        raise AwsError("InvalidCiphertextException", "The ciphertext is not one of KMS.") from None
    if name is not None and find_key(ctx, name)["KeyId"] != key_id:
        raise AwsError(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )
    key = usable_key(ctx, key_id, _USAGE, "Decrypt")
    if index >= len(key["Materials"]):
        raise AwsError("InvalidCiphertextException", "The ciphertext is not one of this key.")
    try:
        return key, ciphertext.decrypt(blob, ctx.engine.part(Vault).opened(key, index), context)
    except InvalidCiphertext:
        raise AwsError(
            "InvalidCiphertextException", "The ciphertext is damaged, or its encryption context is another."
        ) from None


def _decrypted_by_rsa(ctx: Context, blob: bytes, name: str, algorithm: str) -> tuple[Body, bytes]:
    key = usable_key(ctx, name, _USAGE, "Decrypt")
    _algorithm(key, algorithm)
    private = private_key(ctx.engine.part(Vault).opened(key))
    assert isinstance(private, rsa.RSAPrivateKey)
    try:
        return key, private.decrypt(blob, _oaep(algorithm))
    except ValueError:
        raise AwsError("InvalidCiphertextException", "The ciphertext is damaged or of another key.") from None


def _oaep(algorithm: str) -> padding.OAEP:
    digest: hashes.HashAlgorithm = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    return padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)


def _algorithm(key: Body, asked: str | None) -> str:
    algorithm = asked or SYMMETRIC
    if algorithm not in key["EncryptionAlgorithms"]:
        raise AwsError(
            "InvalidKeyUsageException", f"Algorithm {algorithm} and key spec {key['KeySpec']} do not match."
        )
    return algorithm


def _symmetric(key: Body, name: str) -> Body:
    if key["KeySpec"] != SYMMETRIC:
        raise AwsError("InvalidKeyUsageException", f"{key['Arn']} key spec is not valid for {name}.")
    return key


def _stop_if_dry(request: dict[str, Any]) -> None:
    if request.get("DryRun"):
        raise AwsError(
            "DryRunOperationException", "The request would have succeeded, but the DryRun option is set."
        )
