"""Envelope encryption under a KMS key: AWS's services seal what they keep under a data key, and the data key under
the customer's key, in the caller's name. So a caller who may not use the key cannot read what it seals.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-cryptography.html#enveloping
"""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from homeport.engine.services.context import Context

_NONCE = 12


async def close(ctx: Context, key_id: str, text: str, encryption_context: dict[str, str]) -> str:
    """The text sealed under a data key of this KMS key; needs kms:GenerateDataKey."""
    data_key = await ctx.client("kms").generate_data_key(
        KeyId=key_id, KeySpec="AES_256", EncryptionContext=encryption_context
    )
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(data_key["Plaintext"]).encrypt(nonce, text.encode(), None)
    parts = (data_key["CiphertextBlob"], nonce + sealed)
    return ".".join(base64.b64encode(part).decode() for part in parts)


async def open(ctx: Context, sealed: str, encryption_context: dict[str, str]) -> str:
    """The text; needs kms:Decrypt."""
    key, data = (base64.b64decode(part) for part in sealed.split("."))
    data_key = await ctx.client("kms").decrypt(CiphertextBlob=key, EncryptionContext=encryption_context)
    return AESGCM(data_key["Plaintext"]).decrypt(data[:_NONCE], data[_NONCE:], None).decode()
