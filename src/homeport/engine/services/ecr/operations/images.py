"""Images: pushed, listed, fetched and deleted through the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import (
    find_image,
    find_repository,
    indexes_of,
    manifest_text,
    note_pull,
    tags_of,
)
from homeport.engine.services.ecr.manifests import parse_manifest
from homeport.engine.services.ecr.names import is_digest, is_tag
from homeport.engine.services.ecr.pull_through import import_image
from homeport.engine.services.ecr.push import push_image, remove_image, untag_image
from homeport.engine.services.ecr.scans import scan_summary
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.tables import IMAGES, TAGS
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def put_image(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html"""
    ctx, name, tag = registry_of(ctx, request), request["repositoryName"], request.get("imageTag")
    find_repository(ctx, name)
    if tag and not is_tag(tag):
        raise AwsError("InvalidParameterException", f"'{tag}' is not an image tag")
    text = request["imageManifest"].encode()
    manifest = parse_manifest(text, request.get("imageManifestMediaType"), request.get("imageDigest"))
    held = IMAGES.get(ctx, name, manifest.digest)
    if held and (tag is None or tag in tags_of(ctx, held)):
        said = f" and tag '{tag}'" if tag else ""
        raise AwsError(
            "ImageAlreadyExistsException",
            f"Image with digest '{manifest.digest}'{said} already exists in the repository with name '{name}' in "
            f"registry with id '{ctx.scope.account}'",
        )
    image = push_image(ctx, name, manifest, [tag] if tag else [])
    return {"image": _fetched(ctx, image, tag)}


@operation
async def batch_get_image(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    images, failures = [], []
    for image_id in request["imageIds"]:
        image, failure = await _get(ctx, name, image_id)
        if image:
            note_pull(ctx, image)
            images.append(_fetched(ctx, image, image_id.get("imageTag")))
        else:
            failures.append(failure)
    return {"images": images, "failures": failures}


@operation
async def batch_delete_image(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    deleted: list[Body] = []
    failures = []
    for image_id in request["imageIds"]:
        image, failure = _look_up(ctx, name, image_id)
        if image is None:
            failures.append(failure)
        elif indexes := _keepers(ctx, image, image_id):
            reason = f"Requested image referenced by manifest list: [{', '.join(indexes)}]"
            failures.append(_failure(image_id, "ImageReferencedByManifestList", reason))
        elif tag := image_id.get("imageTag"):
            untag_image(ctx, image, tag)
            deleted.append({"imageDigest": image["imageDigest"], "imageTag": tag})
        else:
            tags = remove_image(ctx, image)
            deleted.extend({"imageDigest": image["imageDigest"], "imageTag": tag} for tag in tags)
            deleted.extend([] if tags else [{"imageDigest": image["imageDigest"]}])
    return {"imageIds": deleted, "failures": failures}


@operation
async def list_images(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    status = (request.get("filter") or {}).get("tagStatus") or "ANY"
    tags = TAGS.list(ctx, name)
    tagged = {row["imageDigest"] for row in tags}
    ids = [] if status == "UNTAGGED" else [_pick(row, "imageDigest", "imageTag") for row in tags]
    if status != "TAGGED":
        untagged = (image for image in IMAGES.list(ctx, name) if image["imageDigest"] not in tagged)
        ids.extend(_pick(image, "imageDigest") for image in untagged)
    ids.sort(key=_image_id_key)
    rows, token = page(
        ids,
        request.get("maxResults") or 100,
        request.get("nextToken"),
        key=_image_id_key,
        error="InvalidParameterException",
    )
    return {"imageIds": rows, "nextToken": token}


@operation
async def describe_images(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    token = None
    if ids := request.get("imageIds"):
        images: Iterable[Body] = [find_image(ctx, name, *_digest_and_tag(image_id)) for image_id in ids]
    else:
        status = (request.get("filter") or {}).get("tagStatus") or "ANY"
        tagged = {row["imageDigest"] for row in TAGS.list(ctx, name)}
        wanted = {"TAGGED": (True,), "UNTAGGED": (False,), "ANY": (True, False)}[status]
        chosen = [image for image in IMAGES.list(ctx, name) if (image["imageDigest"] in tagged) in wanted]
        images, token = page(
            chosen,
            request.get("maxResults") or 100,
            request.get("nextToken"),
            key=lambda image: image["imageDigest"],
            error="InvalidParameterException",
        )
    return {"imageDetails": [_detail(ctx, image) for image in images], "nextToken": token}


@operation
async def list_image_referrers(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    types = (request.get("filter") or {}).get("artifactTypes")
    images = IMAGES.list(ctx, name, subject=request["subjectId"]["imageDigest"])
    images, token = page(
        [image for image in images if not types or image["artifactType"] in types],
        request.get("maxResults") or 50,
        request.get("nextToken"),
        key=lambda image: image["imageDigest"],
        error="InvalidParameterException",
    )
    referrers = [
        {
            "digest": image["imageDigest"],
            "mediaType": image["imageManifestMediaType"],
            "artifactType": image["artifactType"],
            "size": image["manifestSize"],
            "annotations": image["annotations"],
            "artifactStatus": "ACTIVE",
        }
        for image in images
    ]
    return {"referrers": [_without_none(each) for each in referrers], "nextToken": token}


async def _get(ctx: Context, repository: str, image_id: Body) -> tuple[Body | None, Body]:
    """The image, brought from its upstream registry if the repository is a cache; or the failure."""
    try:
        if reference := image_id.get("imageDigest") or image_id.get("imageTag"):
            await import_image(ctx, repository, reference)
    except AwsError as error:
        if error.code != "UnableToGetUpstreamImageException":
            raise
        return None, _failure(image_id, "UpstreamUnavailable", error.message)
    find_repository(ctx, repository)
    return _look_up(ctx, repository, image_id)


def _look_up(ctx: Context, repository: str, image_id: Body) -> tuple[Body | None, Body]:
    """The image, or the failure entry that says why there is none."""
    digest, tag = _digest_and_tag(image_id)
    if digest is None and tag is None:
        return None, _failure(image_id, "MissingDigestAndTag", "Missing image digest and tag")
    if digest is not None and not is_digest(digest):
        return None, _failure(image_id, "InvalidImageDigest", f"Invalid image digest '{digest}'")
    if tag is not None and not is_tag(tag):
        return None, _failure(image_id, "InvalidImageTag", f"Invalid image tag '{tag}'")
    try:
        return find_image(ctx, repository, digest, tag), {}
    except AwsError:
        if digest and tag and TAGS.get(ctx, repository, tag):
            reason = "Requested image tag does not match the image digest"
            return None, _failure(image_id, "ImageTagDoesNotMatchDigest", reason)
        return None, _failure(image_id, "ImageNotFound", "Requested image not found")


def _keepers(ctx: Context, image: Body, image_id: Body) -> list[str]:
    """The indexes for whose sake the image stays; taking one of several tags from it touches none."""
    if image_id.get("imageTag") and len(tags_of(ctx, image)) > 1:
        return []
    return indexes_of(ctx, image)


def _failure(image_id: Body, code: str, reason: str) -> Body:
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def _fetched(ctx: Context, image: Body, tag: str | None) -> Body:
    return {
        "registryId": ctx.scope.account,
        "repositoryName": image["repositoryName"],
        "imageId": _without_none({"imageDigest": image["imageDigest"], "imageTag": tag}),
        "imageManifest": manifest_text(ctx, image),
        "imageManifestMediaType": image["imageManifestMediaType"],
    }


def _detail(ctx: Context, image: Body) -> Body:
    detail = {
        "registryId": ctx.scope.account,
        "repositoryName": image["repositoryName"],
        "imageDigest": image["imageDigest"],
        "imageTags": tags_of(ctx, image) or None,
        "imageSizeInBytes": image["imageSizeInBytes"],
        "imagePushedAt": image["imagePushedAt"],
        "imageManifestMediaType": image["imageManifestMediaType"],
        "artifactMediaType": image["artifactMediaType"],
        "lastRecordedPullTime": image.get("lastRecordedPullTime"),
        "subjectManifestDigest": image["subject"],
        "imageStatus": "ACTIVE",
    }
    return _without_none(detail | scan_summary(ctx, image))


def _digest_and_tag(image_id: Body) -> tuple[str | None, str | None]:
    return image_id.get("imageDigest"), image_id.get("imageTag")


def _image_id_key(image_id: Body) -> tuple[str, str]:
    return image_id["imageDigest"], image_id.get("imageTag", "")


def _pick(row: Body, *members: str) -> Body:
    return {member: row[member] for member in members}


def _without_none(body: Body) -> Body:
    return {key: value for key, value in body.items() if value is not None}
