"""The names that ECR and the OCI distribution specification allow: repositories, tags, digests."""

from __future__ import annotations

import hashlib
import re

REPOSITORY = re.compile(r"(?:[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*/)*[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
REGISTRY_HOST = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com")


def is_repository(name: str) -> bool:
    """Whether ECR takes this as a repository name (2 to 256 characters)."""
    return 2 <= len(name) <= 256 and REPOSITORY.fullmatch(name) is not None


def is_tag(tag: str) -> bool:
    """Whether this is a tag of the OCI distribution specification."""
    return TAG.fullmatch(tag) is not None


def is_digest(digest: str) -> bool:
    """Whether this is a digest of an algorithm that the registry verifies."""
    return DIGEST.fullmatch(digest) is not None


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of these bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, data, usedforsecurity=True).hexdigest()}"
