"""A ciphertext blob: it names its key, and is bound to that key and to the encryption context.

byte 0        1, the form's version
byte 1        n, the length of the key's id
bytes 2…2+n   the key's id
next byte     which of the key's materials encrypted it: rotation adds one
next 12       the nonce
the rest      AES-256-GCM's ciphertext and tag
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = 1
_NONCE = 12


class InvalidCiphertext(Exception):
    """The blob is none of ours, damaged, or made in another encryption context."""


def encrypt(key_id: str, material: bytes, index: int, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """The blob of a plaintext."""
    name = key_id.encode()
    head = bytes((_VERSION, len(name))) + name + bytes((index,))
    nonce = os.urandom(_NONCE)
    return head + nonce + AESGCM(material).encrypt(nonce, plaintext, _bound(key_id, context))


def key_of(blob: bytes) -> tuple[str, int]:
    """The id of the blob's key, and which of its materials. Raises InvalidCiphertext."""
    try:
        end = 2 + blob[1]
        if blob[0] != _VERSION or len(blob) < end + 1 + _NONCE:
            raise InvalidCiphertext
        return blob[2:end].decode("ascii"), blob[end]
    except (IndexError, UnicodeDecodeError):
        raise InvalidCiphertext from None


def decrypt(blob: bytes, material: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext of a blob. Raises InvalidCiphertext."""
    key_id, _ = key_of(blob)
    start = 3 + blob[1]
    nonce, data = blob[start : start + _NONCE], blob[start + _NONCE :]
    try:
        return AESGCM(material).decrypt(nonce, data, _bound(key_id, context))
    except InvalidTag:
        raise InvalidCiphertext from None


def _bound(key_id: str, context: Mapping[str, str]) -> bytes:
    return json.dumps([key_id, sorted(context.items())], ensure_ascii=False).encode()
