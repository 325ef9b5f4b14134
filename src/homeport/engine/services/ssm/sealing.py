"""SecureStrings at rest: encrypted under the KMS key that the parameter names, in the caller's name; those under the
default key `alias/aws/ssm`, which everybody in the account may use, under a key of the data folder.

https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from __future__ import annotations

import base64

from homeport.engine.services import envelope
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.seal import Seal
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

DEFAULT_KEY = "alias/aws/ssm"


async def sealed_value(ctx: Context, parameter: Body, value: str) -> str:
    """The value of a SecureString as it is kept. Raises InvalidKeyId, AccessDeniedException."""
    key, arn = parameter["KeyId"], parameter["ARN"]
    if key == DEFAULT_KEY:
        return ctx.engine.part(_seal).close({"value": value}, f"ssm {arn}")
    try:
        if parameter["Tier"] == "Advanced":
            return await envelope.close(ctx, key, value, _context(arn))
        answer = await ctx.client("kms").encrypt(
            KeyId=key, Plaintext=value.encode(), EncryptionContext=_context(arn)
        )
    except AwsError as error:
        if error.code.startswith("AccessDenied"):
            raise
        raise AwsError("InvalidKeyId", f"{error.message} (the key {key} of the parameter)") from None
    return base64.b64encode(answer["CiphertextBlob"]).decode()


async def readable_value(ctx: Context, version: Body) -> str:
    """The value of a version of a parameter, decrypted. Raises AccessDeniedException."""
    value, arn = str(version["Value"]), version["ARN"]
    if version["Type"] != "SecureString":
        return value
    if version["KeyId"] == DEFAULT_KEY:
        body = ctx.engine.part(_seal).open(value, f"ssm {arn}")
        if body is None:
            raise RuntimeError(f"the value of {arn} was not sealed by this engine")
        return str(body["value"])
    if "." in value:
        return await envelope.open(ctx, value, _context(arn))
    answer = await ctx.client("kms").decrypt(
        CiphertextBlob=base64.b64decode(value), EncryptionContext=_context(arn)
    )
    return bytes(answer["Plaintext"]).decode()


def _seal(engine: Engine) -> Seal:
    return Seal(engine.store)


def _context(arn: str) -> dict[str, str]:
    return {"PARAMETER_ARN": arn}
