"""Lifecycle policies at work: what they say of a repository's images, and the loop that does it.

AWS applies a policy within 24 hours. Here it is applied at once when it is put or an image is pushed, and looked
at every hour for images that have aged.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import tags_of
from homeport.engine.services.ecr.lifecycle import Candidate, Expiry, expire, parse_policy
from homeport.engine.services.ecr.push import remove_image
from homeport.engine.services.ecr.tables import IMAGES, REPOSITORIES
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope

EVERY = 3600.0
NAME = "ecr.lifecycle"


def expiring(ctx: Context, repository: str, policy: str) -> list[Expiry]:
    """The images of the repository that the policy expires now."""
    images = IMAGES.list(ctx, repository)
    listed = {child for image in images for child in image["children"]}
    digests = {image["imageDigest"] for image in images}
    candidates = [
        Candidate(
            image["imageDigest"],
            tuple(tags_of(ctx, image)),
            image["imagePushedAt"],
            image.get("lastRecordedPullTime"),
            held=image["imageDigest"] in listed,
        )
        for image in images
        if image["subject"] not in digests
    ]
    return expire(parse_policy(policy), candidates, ctx.now())


async def _apply(ctx: Context, repository: str) -> float | None:
    row = REPOSITORIES.get(ctx, repository)
    if row is None or not row.get("lifecyclePolicyText"):
        return None
    with ctx.store.transaction():
        while expired := expiring(ctx, repository, row["lifecyclePolicyText"]):
            for expiry in expired:
                _remove_with_referrers(ctx, repository, expiry.image.digest)
        REPOSITORIES.put(ctx, row | {"lifecycleEvaluatedAt": ctx.now()})
    return EVERY


def _remove_with_referrers(ctx: Context, repository: str, digest: str) -> None:
    """Signatures and attestations of an expired image go with it."""
    image = IMAGES.get(ctx, repository, digest)
    if image is None:
        return
    remove_image(ctx, image)
    for referrer in IMAGES.list(ctx, repository, subject=digest):
        _remove_with_referrers(ctx, repository, referrer["imageDigest"])


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    for scope, row in REPOSITORIES.everywhere(engine.store):
        if row.get("lifecyclePolicyText"):
            yield scope, row["repositoryName"]


LIFECYCLE = Reconciler(NAME, _keys, _apply)
