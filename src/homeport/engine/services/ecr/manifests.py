"""Reading a manifest: what an image or an index is made of. Pure; nothing is looked up here.

https://github.com/opencontainers/image-spec/blob/main/manifest.md
https://docs.docker.com/reference/registry/manifest-v2-2
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from homeport.engine.services.ecr.names import digest_of, is_digest
from homeport.engine.wire.errors import AwsError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)
LARGEST = 4 * 1024 * 1024
_HELD_ELSEWHERE = ("nondistributable", "foreign")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to a blob or to another manifest."""

    digest: str
    size: int
    media_type: str
    platform: dict[str, Any] = field(default_factory=dict)

    @property
    def held_elsewhere(self) -> bool:
        """Layers that licences forbid to push ("foreign", "nondistributable") lie at URLs of their own."""
        return any(word in self.media_type for word in _HELD_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that is well formed; `text` is byte for byte what the client pushed."""

    text: str
    digest: str
    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    subject: str | None
    artifact_type: str | None
    annotations: dict[str, str]

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests instead of layers."""
        return self.media_type in INDEXES

    @property
    def blobs(self) -> list[Descriptor]:
        """The blobs that must be in the repository before this manifest is taken."""
        config = [self.config] if self.config else []
        return [blob for blob in (*config, *self.layers) if not blob.held_elsewhere]


def parse_manifest(data: bytes, media_type: str | None, digest: str | None = None) -> Manifest:
    """Read a pushed manifest; `media_type` and `digest` are what the client says of it, if anything.

    Raises InvalidParameterException, ImageDigestDoesNotMatchException or UnsupportedImageTypeException.
    """
    actual = digest_of(data, digest.partition(":")[0] if digest else "sha256")
    if digest and digest != actual:
        raise AwsError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest {digest} does not match the manifest, whose digest is {actual}",
        )
    document = _document(data)
    media_type = _media_type(document, media_type)
    subject = document.get("subject")
    return Manifest(
        text=data.decode(),
        digest=actual,
        media_type=media_type,
        config=_config(document) if media_type in MANIFESTS else None,
        layers=_descriptors(document, "layers") if media_type in MANIFESTS else (),
        children=_descriptors(document, "manifests") if media_type in INDEXES else (),
        subject=_descriptor(subject, "subject").digest if subject is not None else None,
        artifact_type=_artifact_type(document),
        annotations=_annotations(document),
    )


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode())
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise _invalid("Invalid JSON syntax") from None
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        raise _invalid("Invalid manifest: 'schemaVersion' must be 2")
    return document


def _media_type(document: dict[str, Any], said: str | None) -> str:
    said = (said or "").partition(";")[0].strip() or None
    own = document.get("mediaType")
    if said == "application/json" or said == "application/octet-stream":
        said = None
    if own and said and own != said:
        raise _invalid(f"The manifest's mediaType '{own}' does not match the media type '{said}'")
    media_type = own or said or (OCI_INDEX if "manifests" in document else OCI_MANIFEST)
    if media_type not in MANIFESTS and media_type not in INDEXES:
        raise AwsError("UnsupportedImageTypeException", f"The media type '{media_type}' is not supported")
    return media_type


def _config(document: dict[str, Any]) -> Descriptor:
    if "config" not in document:
        raise _invalid("Invalid manifest: 'config' is missing")
    return _descriptor(document["config"], "config")


def _descriptors(document: dict[str, Any], member: str) -> tuple[Descriptor, ...]:
    entries = document.get(member)
    if not isinstance(entries, list):
        raise _invalid(f"Invalid manifest: '{member}' must be a list")
    return tuple(_descriptor(entry, f"{member}[{index}]") for index, entry in enumerate(entries))


def _descriptor(entry: Any, where: str) -> Descriptor:
    if not isinstance(entry, dict):
        raise _invalid(f"Invalid manifest: '{where}' must be an object")
    digest, size, media_type = entry.get("digest"), entry.get("size"), entry.get("mediaType", "")
    if not isinstance(digest, str) or not is_digest(digest):
        raise _invalid(f"Invalid manifest: '{where}.digest' is not a sha256 or sha512 digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _invalid(f"Invalid manifest: '{where}.size' is not a number of bytes")
    if not isinstance(media_type, str):
        raise _invalid(f"Invalid manifest: '{where}.mediaType' is not a string")
    platform = entry.get("platform")
    return Descriptor(digest, size, media_type, platform if isinstance(platform, dict) else {})


def _artifact_type(document: dict[str, Any]) -> str | None:
    """What the referrers list calls the type: the manifest's own, else that of an image's config."""
    own = document.get("artifactType")
    if isinstance(own, str) and own:
        return own
    config = document.get("config")
    return config.get("mediaType") if isinstance(config, dict) else None


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    annotations = document.get("annotations") or {}
    if not isinstance(annotations, dict) or not all(isinstance(value, str) for value in annotations.values()):
        raise _invalid("Invalid manifest: 'annotations' must map strings to strings")
    return annotations


def _invalid(reason: str) -> AwsError:
    return AwsError(
        "InvalidParameterException",
        f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{reason}'",
    )
