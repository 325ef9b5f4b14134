"""GetRandomPassword.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
"""

from __future__ import annotations

import secrets
import string
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_KINDS = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


@operation
async def get_random_password(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A password of the wanted length and kinds of characters, one of each kind unless that is not wanted."""
    length = request.get("PasswordLength", 32)
    excluded = set(request.get("ExcludeCharacters") or "")
    kinds = [letters for name, letters in _KINDS.items() if not request.get(name)]
    kinds += [" "] if request.get("IncludeSpace") else []
    kinds = [kept for letters in kinds if (kept := "".join(each for each in letters if each not in excluded))]
    if not kinds:
        raise AwsError("InvalidParameterException", "No characters are left to make a password of.")
    every = request.get("RequireEachIncludedType", True)
    if every and length < len(kinds):
        raise AwsError(
            "InvalidParameterException",
            "The password length is too short based on the required types.",
        )
    letters = [secrets.choice(kind) for kind in kinds] if every else []
    letters += [secrets.choice("".join(kinds)) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return {"RandomPassword": "".join(letters)}
