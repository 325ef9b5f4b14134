"""Images of tasks: which digest a tag means, and getting it onto the machine.

An image of the engine's own ECR is pulled by digest from the engine's loopback address, as the task's execution
role; what Docker has already is not pulled again. Any other image is pulled as Docker pulls it; where its registry
cannot be reached, an image of ours stands in for the common ones.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html#deployment-container-image-stability
"""

from __future__ import annotations

import contextlib
from typing import Any

from homeport.engine.containers import base_images, recipes
from homeport.engine.containers.errors import DockerRefused, PullFailed
from homeport.engine.services import ecr_images
from homeport.engine.services.context import Context
from homeport.engine.services.ecs import secrets
from homeport.engine.services.ecs.failure import CannotStart, told
from homeport.engine.services.ecs.tables import TASKS
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_PULLING = "pull image manifest has been retried 1 time(s): failed to resolve ref"


async def resolve(ctx: Context, image: str, role: str | None, container: str) -> str | None:
    """The digest that the image's tag has now; None for an image that is not in ECR, whose digest is known when
    it has been pulled. Raises CannotStart."""
    named = ecr_images.parse(image)
    if named is None:
        return None
    try:
        digest = await ecr_images.find_digest(_ecr(ctx, named, role), named)
    except AwsError as error:
        raise CannotStart(
            "CannotPullContainerError", f"{_PULLING} {image}: {told(error)}", container
        ) from error
    if digest is None:
        raise CannotStart(
            "CannotPullContainerError",
            f"{_PULLING} {image}: not found: the repository {named.repository} has no image with the "
            f"{'digest ' + named.digest if named.digest else 'tag ' + named.tag}",
            container,
        )
    return digest


async def fetch(ctx: Context, definition: Body, digest: str | None, role: str | None) -> Body:
    """Have the image of a container definition on this machine. Returns Docker's `reference` of it, and its `digest`
    when it has one. Raises CannotStart."""
    image, container = definition["image"], definition["name"]
    named = ecr_images.parse(image)
    runtime = ctx.engine.docker
    if named is None:
        reference = image
        username, password = await secrets.registry_login(ctx, definition.get("repositoryCredentials"), role)
    else:
        digest = digest or await resolve(ctx, image, role, container) or ""
        reference = await ecr_images.reference(ctx, named.at(digest))
        username, password = await _login(ctx, named, role)
    found = await runtime.images.inspect(reference)
    if found is None:
        try:
            await runtime.images.pull(reference, username=username, password=password)
        except PullFailed as error:
            recipe = recipes.stand_in(image)
            if error.reason != "unreachable" or recipe is None:
                raise CannotStart(
                    "CannotPullContainerError", _pull_failed(image, error), container
                ) from error
            reference = await _make(ctx, recipe, container)
        found = await runtime.images.inspect(reference)
    digests = [each.partition("@")[2] for each in (found or {}).get("RepoDigests") or []]
    return {"reference": reference, "digest": digest or (digests[0] if digests else None)}


async def clean_up(ctx: Context, row: Body) -> None:
    """Remove from this machine what a task that is to be forgotten ran of the engine's own registry, unless another
    task has it, too: it can be pulled again.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/automated_image_cleanup.html"""
    own = f"127.0.0.1:{ctx.engine.config.port}/"
    gone = {each for each in row.get("references", {}).values() if each.startswith(own)}
    if not gone:
        return
    for _, other in TASKS.everywhere(ctx.store):
        if other["taskId"] != row["taskId"]:
            gone -= set(other.get("references", {}).values())
    for reference in gone:
        with contextlib.suppress(DockerRefused):  # a build's container or a function's has it
            await ctx.engine.docker.images.remove(reference)


async def _make(ctx: Context, recipe: recipes.Recipe, container: str) -> str:
    try:
        return await base_images.ensure(ctx.engine.docker.images, recipe)
    except base_images.CannotMake as error:
        raise CannotStart("CannotPullContainerError", str(error), container) from error


async def _login(ctx: Context, named: ecr_images.EcrImage, role: str | None) -> tuple[str, str]:
    try:
        return await ecr_images.login(_ecr(ctx, named, role))
    except AwsError as error:
        raise CannotStart(
            "ResourceInitializationError",
            "unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr "
            f"registry auth: service call has been retried 1 time(s): {told(error)}",
        ) from error


def _ecr(ctx: Context, named: ecr_images.EcrImage, role: str | None) -> Any:
    if role:
        return ctx.engine.context("ecs-tasks", ctx.scope).client("ecr", role=role, region=named.region)
    return ctx.client("ecr", as_service=True, region=named.region)


def _pull_failed(image: str, error: PullFailed) -> str:
    reason = {
        "not found": "not found",
        "denied": "pull access denied, repository does not exist or may require authorization",
        "unreachable": "the registry cannot be reached",
        "other": "failed",
    }[error.reason]
    return f"{_PULLING} {image}: {reason}: {error.message}"
