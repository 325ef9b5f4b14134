"""Manifests, by digest or by tag."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.ecr.images import find_image, indexes_of, manifest_text, note_pull
from homeport.engine.services.ecr.manifests import LARGEST, Manifest, parse_manifest
from homeport.engine.services.ecr.names import is_digest, is_tag
from homeport.engine.services.ecr.pull_through import find_source, import_manifest, must_ask, pending_manifest
from homeport.engine.services.ecr.push import push_image, remove_image, remove_tag
from homeport.engine.services.ecr.registry.call import Call
from homeport.engine.services.ecr.registry.errors import RegistryError, registry_error
from homeport.engine.services.ecr.tables import REPOSITORIES, TAGS
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import BodyTooLarge, Response


async def get_manifest(call: Call, reference: str) -> Response:
    """Send the manifest as it was pushed, and note the pull."""
    await call.allow("BatchGetImage")
    if coming := await _from_upstream(call, reference):
        return _answer(coming.media_type, coming.digest, coming.text)
    image = _find(call, reference)
    if call.request.method == "GET":
        note_pull(call.ctx, image)
    text = manifest_text(call.ctx, image)
    return _answer(image["imageManifestMediaType"], image["imageDigest"], text)


async def put_manifest(call: Call, reference: str) -> Response:
    """Take the manifest, if all that it refers to is in the repository. Pushed by digest, it gets the tags of
    the query."""
    await call.allow("PutImage")
    digest = reference if is_digest(reference) else None
    tags = [value for name, value in call.request.query if name == "tag"] if digest else [reference]
    for tag in tags:
        if not is_tag(tag):
            raise RegistryError("TAG_INVALID", f"'{tag}' is neither a tag nor a sha256 or sha512 digest", 400)
    try:
        body = await call.request.body(LARGEST)
        manifest = parse_manifest(body, call.request.headers.get("content-type"), digest)
        push_image(call.ctx, call.repository, manifest, tags)
    except BodyTooLarge:
        raise RegistryError("SIZE_INVALID", f"A manifest has at most {LARGEST} bytes", 413) from None
    except AwsError as error:
        raise registry_error(error, pushing_manifest=True) from None
    headers = {
        "location": call.url(f"manifests/{manifest.digest}"),
        "docker-content-digest": manifest.digest,
    }
    if manifest.subject:
        headers["oci-subject"] = manifest.subject
    if digest and tags:
        headers["oci-tag"] = ", ".join(tags)
    return Response(201, headers)


async def delete_manifest(call: Call, reference: str) -> Response:
    """Remove the tag, or the image with all its tags."""
    await call.allow("BatchDeleteImage")
    image = _find(call, reference)
    if not is_digest(reference):
        remove_tag(call.ctx, image, reference)
        return Response(202)
    if indexes := indexes_of(call.ctx, image):
        raise RegistryError(
            "UNSUPPORTED", f"The image is listed by the index {indexes[0]}: delete that first", 405
        )
    remove_image(call.ctx, image)
    return Response(202)


def _answer(media_type: str, digest: str, text: str) -> Response:
    headers = {"content-type": media_type, "docker-content-digest": digest, "etag": f'"{digest}"'}
    return Response(200, headers, text.encode())


async def _from_upstream(call: Call, reference: str) -> Manifest | None:
    """The manifest, when the repository is a cache that does not have it, or not of late. A cached one is told
    while the upstream registry does not answer."""
    source = find_source(call.ctx, call.repository)
    if source is None or not (is_digest(reference) or is_tag(reference)):
        return None
    if pending := pending_manifest(call.ctx, call.repository, reference):
        return pending
    if not must_ask(call.ctx, call.repository, reference):
        return None
    await call.allow("BatchImportUpstreamImage")
    if REPOSITORIES.get(call.ctx, call.repository) is None:
        await call.allow("CreateRepository")
    try:
        return await import_manifest(call.ctx, source, call.repository, reference)
    except AwsError as error:
        held = is_tag(reference) and TAGS.get(call.ctx, call.repository, reference)
        if held and error.code == "UnableToGetUpstreamImageException":
            return None
        raise


def _find(call: Call, reference: str) -> dict[str, Any]:
    if is_digest(reference):
        return find_image(call.ctx, call.repository, digest=reference)
    if is_tag(reference):
        return find_image(call.ctx, call.repository, tag=reference)
    if ":" in reference:
        raise RegistryError("DIGEST_INVALID", f"'{reference}' is not a sha256 or sha512 digest", 400)
    raise RegistryError("TAG_INVALID", f"'{reference}' is neither a tag nor a digest", 400)
