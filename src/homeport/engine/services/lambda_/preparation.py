"""Making a function ready: its image is made or pulled before the function is Active.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.containers import base_images
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable, PullFailed
from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services import ecr_images
from homeport.engine.services.context import Context
from homeport.engine.services.lambda_ import runtimes
from homeport.engine.services.lambda_.names import invalid
from homeport.engine.services.lambda_.pool import Pool
from homeport.engine.services.lambda_.tables import LATEST, VERSIONS, Row
from homeport.engine.wire.errors import AwsError


class _Unready(Exception):
    """Why a function cannot run: AWS's StateReasonCode, and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def resolve(ctx: Context, uri: str) -> str:
    """The image with its digest, which the function keeps whatever happens to the tag. Raises
    InvalidParameterValueException."""
    found = ecr_images.parse(uri)
    if found is None:
        raise invalid(
            f"Source image {uri} is not valid. Provide a valid source image of an ECR repository: "
            "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>."
        )
    try:
        digest = await ecr_images.find_digest(_ecr(ctx, found), found)
    except AwsError as error:
        raise invalid(
            f"Source image {uri} is not valid. Provide a valid source image. ({error.message})"
        ) from None
    if digest is None:
        raise invalid(f"Source image {uri} does not exist. Provide a valid source image.")
    return found.at(digest)


def _ecr(ctx: Context, image: ecr_images.EcrImage) -> Any:
    return ctx.client("ecr", as_service=True, region=image.region)


async def _prepare(x: Execution) -> None:
    version = VERSIONS.get(x.ctx, x.input["name"], LATEST)
    if version is None or version.get("preparing") != x.id:
        return

    async def image() -> str:
        return await _provide(x.ctx, version)

    def ready(reference: str) -> None:
        _settle(x, {"State": "Active", "LastUpdateStatus": "Successful"}, reference)

    await x.step("image", image, ready)


def _settle(x: Execution, state: Row, reference: str | None = None) -> None:
    """Show the state in `$LATEST`, and in a version that was published in the meantime."""
    name = x.input["name"]
    for version in VERSIONS.list(x.ctx, name):
        if version.get("preparing") != x.id:
            continue
        del version["preparing"]
        shown = version["configuration"]
        for key in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
            shown.pop(key, None)
        shown |= {**state, "RevisionId": str(uuid.uuid4())}
        if reference and version["code"].get("image") != reference:
            retire(x.ctx, version)
            version["code"] |= {"image": reference, "generation": str(uuid.uuid4())}
        VERSIONS.put(x.ctx, version)
    x.ctx.notify(topic(x.ctx, name))


def begin(ctx: Context, version: Row) -> None:
    """Prepare `$LATEST` as its row says; call it in the transaction that writes the row."""
    version["preparing"] = str(uuid.uuid4())
    ctx.start(PREPARATION, version["preparing"], {"name": version["FunctionName"]})


def retire(ctx: Context, version: Row) -> None:
    """Use the version's environments no more once the running transaction has committed."""
    generation = version["code"]["generation"]
    ctx.store.after_commit(lambda: ctx.engine.part(Pool).retire([generation]))


def topic(ctx: Context, name: str) -> str:
    """Notified when a function's state has changed."""
    return f"lambda.state:{ctx.region}:{name}"


async def _provide(ctx: Context, version: Row) -> str:
    """Docker's reference of the function's image, which is on this machine when this returns."""
    try:
        if version["configuration"]["PackageType"] == "Zip":
            return await base_images.ensure(ctx.engine.docker.images, runtimes.IMAGE)
        return await _pull(ctx, version["code"]["uri"])
    except base_images.CannotMake as error:
        raise _Unready("InternalError", str(error)) from None
    except PullFailed as error:
        code = "ImageAccessDenied" if error.reason == "denied" else "InvalidImage"
        raise _Unready(code, f"{version['code']['uri']} could not be pulled: {error.message}") from None
    except (DockerRefused, DockerUnavailable) as error:
        raise _Unready("InternalError", str(error)) from None


async def _pull(ctx: Context, uri: str) -> str:
    found = ecr_images.parse(uri)
    assert found
    reference = await ecr_images.reference(ctx, uri)
    if await ctx.engine.docker.images.inspect(reference) is None:
        try:
            user, password = await ecr_images.login(_ecr(ctx, found))
        except AwsError as error:
            raise _Unready("ImageAccessDenied", error.message) from None
        await ctx.engine.docker.images.pull(reference, username=user, password=password)
    return reference


async def _failed(x: Execution, error: Exception) -> None:
    code = error.code if isinstance(error, _Unready) else "InternalError"
    with x.ctx.store.transaction():
        version = VERSIONS.get(x.ctx, x.input["name"], LATEST)
        if version is None:
            return
        state: Row = {
            "LastUpdateStatus": "Failed",
            "LastUpdateStatusReason": str(error),
            "LastUpdateStatusReasonCode": code,
        }
        if version["configuration"]["State"] == "Pending":
            state |= {"State": "Failed", "StateReason": str(error), "StateReasonCode": code}
        _settle(x, state)


PREPARATION = ExecutionKind("lambda.preparation", _prepare, _failed)
