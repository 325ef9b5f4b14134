"""The image of a function: its own, or that of the managed runtimes.

https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.containers import base_images
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable, PullFailed
from homeport.engine.services import ecr_images
from homeport.engine.services.context import Context
from homeport.engine.services.lambda_ import runtimes
from homeport.engine.services.lambda_.names import invalid
from homeport.engine.services.lambda_.tables import Row
from homeport.engine.wire.errors import AwsError


class Unready(Exception):
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


async def provide(ctx: Context, version: Row) -> str:
    """Docker's reference of the image, which is on this machine when this returns. Raises Unready."""
    try:
        if version["configuration"]["PackageType"] == "Zip":
            return await base_images.ensure(ctx.engine.docker.images, runtimes.IMAGE)
        return await _pull(ctx, version["code"]["uri"])
    except base_images.CannotMake as error:
        raise Unready("InternalError", str(error)) from None
    except PullFailed as error:
        code = "ImageAccessDenied" if error.reason == "denied" else "InvalidImage"
        raise Unready(code, f"{version['code']['uri']} could not be pulled: {error.message}") from None
    except (DockerRefused, DockerUnavailable) as error:
        raise Unready("InternalError", str(error)) from None


async def _pull(ctx: Context, uri: str) -> str:
    found = ecr_images.parse(uri)
    assert found
    reference = await ecr_images.reference(ctx, uri)
    if await ctx.engine.docker.images.inspect(reference) is None:
        try:
            user, password = await ecr_images.login(_ecr(ctx, found))
        except AwsError as error:
            raise Unready("ImageAccessDenied", error.message) from None
        await ctx.engine.docker.images.pull(reference, username=user, password=password)
    return reference


def _ecr(ctx: Context, image: ecr_images.EcrImage) -> Any:
    return ctx.client("ecr", as_service=True, region=image.region)
