"""Names that CodeDeploy gives."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_uppercase + string.digits


def deployment_id() -> str:
    """`d-` and nine letters and digits."""
    return "d-" + "".join(secrets.choice(_ALPHABET) for _ in range(9))
