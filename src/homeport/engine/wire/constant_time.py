"""Comparing a secret with what a caller sent, in a time that does not tell how much of it was right."""

from __future__ import annotations

import hmac


def same(secret: str, given: str) -> bool:
    """Whether the texts are equal. What headers hold that is no UTF-8 is unequal, not an error."""
    return hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogateescape"))
