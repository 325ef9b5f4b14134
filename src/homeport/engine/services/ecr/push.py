"""A push and a deletion with what follows from them: events, a scan, replication."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import delete_image, put_image, tags_of
from homeport.engine.services.ecr.manifests import Manifest
from homeport.engine.services.ecr.replication import replicate_delete, replicate_push
from homeport.engine.services.ecr.scans import scan_if_wanted
from homeport.engine.services.ecr.tables import TAGS

Body = dict[str, Any]


def push_image(ctx: Context, repository: str, manifest: Manifest, tags: list[str]) -> Body:
    """Store the image under the tags and tell the world.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
    """
    with ctx.store.transaction():
        image = put_image(ctx, repository, manifest, tags)
        for tag in tags or [""]:
            emit_action(ctx, "PUSH", image, tag)
        replicate_push(ctx, image, tags)
        scan_if_wanted(ctx, image)
        ctx.wake("ecr.lifecycle", repository)
    return image


def remove_image(ctx: Context, image: Body) -> list[str]:
    """Delete the image and tell the world; returns the tags that it had."""
    with ctx.store.transaction():
        tags = delete_image(ctx, image)
        for tag in tags or [""]:
            emit_action(ctx, "DELETE", image, tag)
        replicate_delete(ctx, image, tags, whole=True)
    return tags


def untag_image(ctx: Context, image: Body, tag: str) -> None:
    """Take the tag from the image; the image goes with its last one, as on ECR."""
    if tags_of(ctx, image) == [tag]:
        remove_image(ctx, image)
    else:
        remove_tag(ctx, image, tag)


def remove_tag(ctx: Context, image: Body, tag: str) -> None:
    """Take the tag from the image, which stays."""
    with ctx.store.transaction():
        TAGS.delete(ctx, image["repositoryName"], tag)
        emit_action(ctx, "DELETE", image, tag)
        replicate_delete(ctx, image, [tag], whole=False)


def emit_action(ctx: Context, action: str, image: Body, tag: str) -> None:
    """Send the event "ECR Image Action"."""
    detail = {
        "action-type": action,
        "result": "SUCCESS",
        "repository-name": image["repositoryName"],
        "image-digest": image["imageDigest"],
        "image-tag": tag,
        "manifest-media-type": image["imageManifestMediaType"],
        "artifact-media-type": image["artifactMediaType"] or "",
    }
    ctx.emit("aws.ecr", "ECR Image Action", detail, [])
