"""Generated passwords, of which only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac


def password_hash(password: str) -> str:
    """The hash to keep. Generated passwords are random and long: a plain hash of one cannot be guessed back."""
    return hashlib.sha256(password.encode()).hexdigest()


def is_password(password: str, kept: str) -> bool:
    """Whether the hash that was kept is this password's."""
    return hmac.compare_digest(kept, password_hash(password))
