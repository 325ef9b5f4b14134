"""Text that only this engine can read: session tokens, key material, what services keep encrypted at rest."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from homeport.engine.store.database import Store

_NONCE = 12


class Seal:
    """Seals JSON under a key that the data folder keeps."""

    def __init__(self, store: Store) -> None:
        self._cipher = AESGCM(_key(store))

    def close(self, body: dict[str, Any], purpose: str) -> str:
        """The body as sealed text, good for this purpose only."""
        nonce = os.urandom(_NONCE)
        data = json.dumps(body, separators=(",", ":")).encode()
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, data, purpose.encode())).decode()

    def open(self, text: str, purpose: str) -> dict[str, Any] | None:
        """What was sealed for this purpose; None when it was not, or not by this engine."""
        try:
            data = base64.b64decode(text, validate=True)
            return json.loads(self._cipher.decrypt(data[:_NONCE], data[_NONCE:], purpose.encode()))
        except (ValueError, InvalidTag):
            return None


def _key(store: Store) -> bytes:
    rows = store.execute("SELECT value FROM engine_settings WHERE name = 'seal_key'")
    if rows:
        return base64.b64decode(rows[0]["value"])
    key = AESGCM.generate_key(256)
    store.execute("INSERT INTO engine_settings VALUES ('seal_key', ?)", base64.b64encode(key).decode())
    return key
