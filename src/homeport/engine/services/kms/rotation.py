"""New material for a key; what older material encrypted stays readable."""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.kms.keys import Body
from homeport.engine.services.kms.material import Vault, new_material

DEFAULT_DAYS = 365


def rotated(ctx: Context, key: Body, kind: str) -> Body:
    """The key with fresh material, not yet stored. `kind` is AUTOMATIC or ON_DEMAND."""
    material = ctx.engine.part(Vault).sealed(key["KeyId"], new_material(key["KeySpec"]))
    past = [*key["Rotation"].get("Past", ()), {"RotationDate": ctx.now(), "RotationType": kind}]
    return key | {"Materials": [*key["Materials"], material], "Rotation": {**key["Rotation"], "Past": past}}
