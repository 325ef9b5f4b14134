"""SecureStrings at rest: sealed under a key of the data folder.

AWS encrypts them with a KMS key; homeport keeps the key's name, and seals with a key of its own.
https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.seal import Seal


def _seal(engine: Engine) -> Seal:
    return Seal(engine.store)


def seal(ctx: Context, arn: str, value: str) -> str:
    """The value as only this engine can read it, for the parameter of this ARN."""
    return ctx.engine.part(_seal).close({"value": value}, f"ssm {arn}")


def unseal(ctx: Context, arn: str, sealed: str) -> str:
    """The value of a sealed SecureString."""
    body = ctx.engine.part(_seal).open(sealed, f"ssm {arn}")
    if body is None:
        raise RuntimeError(f"the value of {arn} was not sealed by this engine")
    return str(body["value"])
