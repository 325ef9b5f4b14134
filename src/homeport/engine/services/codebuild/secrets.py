"""Parameters and secrets, read with the build's role."""

from __future__ import annotations

from collections.abc import Iterable

from homeport.engine.services.codebuild.environment import Variable, parse_secret_reference, pick_secret
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

_AT_ONCE = 10


async def resolve(ctx: Context, role: str, variables: Iterable[Variable]) -> tuple[dict[str, str], list[str]]:
    """The values of all variables, and those of them that are secrets. Raises PhaseFailed."""
    variables = list(variables)
    parameters = await _parameters(ctx, role, {v.value for v in variables if v.kind == "PARAMETER_STORE"})
    values, secrets, texts = {}, [], {}
    for variable in variables:
        if variable.kind == "PLAINTEXT":
            values[variable.name] = variable.value
            continue
        if variable.kind == "PARAMETER_STORE":
            values[variable.name] = parameters[variable.value]
        else:
            reference = parse_secret_reference(variable.value)
            place = (reference.secret_id, reference.version_stage, reference.version_id)
            if place not in texts:
                texts[place] = await _secret(ctx, role, *place)
                secrets.append(texts[place])
            try:
                values[variable.name] = pick_secret(reference, texts[place])
            except KeyError:
                raise PhaseFailed(
                    "Secrets Manager Error",
                    f"The secret {reference.secret_id} has no JSON key {reference.json_key!r}",
                ) from None
        secrets.append(values[variable.name])
    return values, secrets


async def _parameters(ctx: Context, role: str, names: set[str]) -> dict[str, str]:
    ssm = ctx.client("ssm", role=role)
    ordered, values = sorted(names), {}
    for start in range(0, len(ordered), _AT_ONCE):
        try:
            answer = await ssm.get_parameters(Names=ordered[start : start + _AT_ONCE], WithDecryption=True)
        except AwsError as error:
            raise PhaseFailed("Decrypted Variables Error", f"{error.code}: {error.message}") from None
        if answer.get("InvalidParameters"):
            missing = ", ".join(answer["InvalidParameters"])
            raise PhaseFailed("Decrypted Variables Error", f"parameter does not exist: {missing}")
        for each in answer["Parameters"]:
            values[each["Name"]] = each["Value"]
            values[each.get("ARN", each["Name"])] = each["Value"]
    return values


async def _secret(ctx: Context, role: str, id: str, stage: str, version: str) -> str:
    secretsmanager = ctx.client("secretsmanager", role=role)
    try:
        answer = await secretsmanager.get_secret_value(
            SecretId=id, VersionStage=stage or None, VersionId=version or None
        )
    except AwsError as error:
        raise PhaseFailed("Secrets Manager Error", f"{error.code}: {error.message}") from None
    text = answer.get("SecretString")
    return text if text is not None else answer.get("SecretBinary", b"").decode(errors="replace")
