"""Which image a build runs in: the one that it names where that can be had, else homeport's own.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html
"""

from __future__ import annotations

from collections.abc import Callable

from homeport.engine.containers import base_images, recipes
from homeport.engine.containers.errors import PullFailed
from homeport.engine.services import ecr_images
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

_CURATED = "aws/codebuild/"
_UNABLE = "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"


async def provide(ctx: Context, build: Row, tell: Callable[[str], None]) -> str:
    """The name of an image that is on this machine. `tell` hears what the log should say. Raises PhaseFailed."""
    wanted = build["environment"]["image"]
    images = ctx.engine.docker.images
    if found := ecr_images.parse(wanted):
        return await _from_registry(ctx, build, found)
    if await images.inspect(wanted):
        return str(wanted)
    if wanted.startswith(_CURATED):
        tell(f"The image {wanted} is not on this machine; the build runs in {recipes.BUILD.name} instead")
        return await _make(ctx, recipes.BUILD, tell)
    if recipe := recipes.stand_in(wanted):
        tell(f"The image {wanted} is not on this machine; the build runs in {recipe.name} instead")
        return await _make(ctx, recipe, tell)
    try:
        await images.pull(wanted)
    except PullFailed as error:
        raise _unable(error.message) from None
    return str(wanted)


async def _make(ctx: Context, recipe: recipes.Recipe, tell: Callable[[str], None]) -> str:
    try:
        return await base_images.ensure(ctx.engine.docker.images, recipe, tell)
    except base_images.CannotMake as error:
        raise _unable(str(error)) from None


async def _from_registry(ctx: Context, build: Row, found: ecr_images.EcrImage) -> str:
    """An image of the engine's own registry, with the permissions of the build's role, or of CodeBuild."""
    own = build["environment"].get("imagePullCredentialsType") != "SERVICE_ROLE"
    client = ctx.client("ecr", None if own else build["serviceRole"], as_service=own, region=found.region)
    try:
        user, password = await ecr_images.login(client)
    except AwsError as error:
        raise _unable(error.message) from None
    address = await ecr_images.reference(ctx, found.name)
    try:
        await ctx.engine.docker.images.pull(address, username=user, password=password)
    except PullFailed as error:
        raise _unable(error.message) from None
    return address


def _unable(message: str) -> PhaseFailed:
    return PhaseFailed(
        _UNABLE, f"Unable to pull customer's container image. CannotPullContainerError: {message}"
    )
