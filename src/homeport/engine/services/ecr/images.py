"""Images: manifests that a repository holds, and the tags that name them.

An image is taken only when all that it refers to is in the repository, and goes with its last tag, as on ECR.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.manifests import Manifest
from homeport.engine.services.ecr.settings import read_setting
from homeport.engine.services.ecr.tables import IMAGES, LAYERS, MANIFESTS, REPOSITORIES, SCANS, TAGS
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
PULL_TIME_GRAIN = 60.0
"""Seconds: pulls of one image within this time write its lastRecordedPullTime once."""


def find_repository(ctx: Context, name: str) -> Body:
    """The repository's row. Raises RepositoryNotFoundException."""
    repository = REPOSITORIES.get(ctx, name)
    if repository is None:
        raise AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{ctx.scope.account}'",
        )
    return repository


def put_image(
    ctx: Context, repository: str, manifest: Manifest, tags: list[str], sparse: bool = False
) -> Body:
    """Store the manifest, if it is new, and have the tags name it; all or nothing. A sparse one may refer to what
    the repository does not have: it is the index of a cache, whose images come when they are pulled.

    Raises LayersNotFoundException, ReferencedImagesNotFoundException, ImageTagAlreadyExistsException.
    """
    settings = find_repository(ctx, repository)
    if not sparse:
        _check_references(ctx, repository, manifest)
    _check_tags(ctx, settings, manifest.digest, tags)
    with ctx.store.transaction():
        image = IMAGES.get(ctx, repository, manifest.digest)
        if image is None:
            image = _image(ctx, repository, manifest) | {"sparse": sparse}
            IMAGES.put(ctx, image)
            row = {"repositoryName": repository, "imageDigest": manifest.digest, "text": manifest.text}
            MANIFESTS.put(ctx, row)
        for tag in tags:
            row = {"repositoryName": repository, "imageTag": tag, "imageDigest": manifest.digest}
            TAGS.put(ctx, row | {"taggedAt": ctx.now()})
    return image


def find_image(ctx: Context, repository: str, digest: str | None = None, tag: str | None = None) -> Body:
    """The image under this digest, tag or both. Raises ImageNotFoundException."""
    named = TAGS.get(ctx, repository, tag) if tag else None
    found = named["imageDigest"] if named else None
    if tag and (found is None or digest not in (None, found)):
        found = None
    elif not tag:
        found = digest
    image = IMAGES.get(ctx, repository, found) if found else None
    if image is None:
        find_repository(ctx, repository)
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not "
            f"exist within the repository with name '{repository}' in the registry with id "
            f"'{ctx.scope.account}'",
        )
    return image


def manifest_text(ctx: Context, image: Body) -> str:
    """The image's manifest, byte for byte as it was pushed."""
    row = MANIFESTS.get(ctx, image["repositoryName"], image["imageDigest"])
    assert row is not None, "an image and its manifest are written together"
    return row["text"]


def tags_of(ctx: Context, image: Body) -> list[str]:
    """The tags that name the image, in order."""
    rows = TAGS.list(ctx, image["repositoryName"], imageDigest=image["imageDigest"])
    return [row["imageTag"] for row in rows]


def delete_image(ctx: Context, image: Body) -> list[str]:
    """Remove the image with its tags, which are returned. Its layers go when nothing refers to them."""
    tags = tags_of(ctx, image)
    with ctx.store.transaction():
        for tag in tags:
            TAGS.delete(ctx, image["repositoryName"], tag)
        IMAGES.delete(ctx, image["repositoryName"], image["imageDigest"])
        MANIFESTS.delete(ctx, image["repositoryName"], image["imageDigest"])
        SCANS.delete(ctx, image["repositoryName"], image["imageDigest"])
    return tags


def indexes_of(ctx: Context, image: Body) -> list[str]:
    """The digests of the indexes in the repository that list the image."""
    images = IMAGES.list(ctx, image["repositoryName"])
    return [index["imageDigest"] for index in images if image["imageDigest"] in index["children"]]


def note_pull(ctx: Context, image: Body) -> None:
    """Note that the image was pulled now, unless the principal's pulls are excluded from that."""
    principals = read_setting(ctx, "pull-time-exclusions").get("principals", {})
    if ctx.principal.issuer in principals or ctx.principal.arn in principals:
        return
    if ctx.now() - image.get("lastRecordedPullTime", 0) > PULL_TIME_GRAIN:
        IMAGES.put(ctx, image | {"lastRecordedPullTime": ctx.now()})


def is_immutable(repository: Body, tag: str) -> bool:
    """Whether the tag, once given, stays with its image.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """
    mutability = repository.get("imageTagMutability", "MUTABLE")
    filters = repository.get("imageTagMutabilityExclusionFilters") or []
    excluded = any(fnmatchcase(tag, _glob(entry["filter"])) for entry in filters)
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return not excluded
    return mutability == "IMMUTABLE" or (mutability == "MUTABLE_WITH_EXCLUSION" and excluded)


def _glob(filter: str) -> str:
    """ECR's wildcard is `*` alone; `?` and `[` stand for themselves."""
    return filter.replace("[", "[[]").replace("?", "[?]")


def _check_references(ctx: Context, repository: str, manifest: Manifest) -> None:
    missing = [blob.digest for blob in manifest.blobs if LAYERS.get(ctx, repository, blob.digest) is None]
    if missing:
        raise _missing("LayersNotFoundException", "Layers", missing, repository, ctx.scope.account)
    missing = [child.digest for child in manifest.children if not _holds(ctx, repository, child.digest)]
    if missing:
        raise _missing("ReferencedImagesNotFoundException", "Images", missing, repository, ctx.scope.account)


def _holds(ctx: Context, repository: str, digest: str) -> bool:
    """An index lists images; those of old build caches list layers as well."""
    return any(table.get(ctx, repository, digest) is not None for table in (IMAGES, LAYERS))


def _missing(code: str, what: str, digests: list[str], repository: str, account: str) -> AwsError:
    return AwsError(
        code,
        f"{what} with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{repository}' in the registry with id '{account}' do not exist",
    )


def _check_tags(ctx: Context, repository: Body, digest: str, tags: list[str]) -> None:
    for tag in tags:
        named = TAGS.get(ctx, repository["repositoryName"], tag)
        if named and named["imageDigest"] != digest and is_immutable(repository, tag):
            raise AwsError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{repository['repositoryName']}' repository and "
                "cannot be overwritten because the tag is immutable.",
            )


def _image(ctx: Context, repository: str, manifest: Manifest) -> Body:
    return {
        "repositoryName": repository,
        "imageDigest": manifest.digest,
        "imageManifestMediaType": manifest.media_type,
        "artifactMediaType": manifest.config.media_type if manifest.config else None,
        "imageSizeInBytes": _size(ctx, repository, manifest),
        "imagePushedAt": ctx.now(),
        "manifestSize": len(manifest.text.encode()),
        "config": manifest.config.digest if manifest.config else None,
        "layers": [blob.digest for blob in manifest.blobs],
        "children": [child.digest for child in manifest.children],
        "subject": manifest.subject,
        "artifactType": manifest.artifact_type,
        "annotations": manifest.annotations,
    }


def _size(ctx: Context, repository: str, manifest: Manifest) -> int:
    """Of an image the sum of its blobs, of an index the largest of its images, as DescribeImages tells it."""
    if not manifest.is_index:
        return sum(blob.size for blob in manifest.blobs)
    images = [IMAGES.get(ctx, repository, child.digest) for child in manifest.children]
    return max((image["imageSizeInBytes"] for image in images if image), default=0)
