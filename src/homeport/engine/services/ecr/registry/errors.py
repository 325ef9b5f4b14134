"""Errors of the distribution API, and what ECR's own errors are called there."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Response

_CODES: dict[str, tuple[str, int]] = {
    "AccessDeniedException": ("DENIED", 403),
    "AccessDenied": ("DENIED", 403),
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "LayersNotFoundException": ("BLOB_UNKNOWN", 404),
    "UploadNotFoundException": ("BLOB_UPLOAD_UNKNOWN", 404),
    "InvalidLayerException": ("DIGEST_INVALID", 400),
    "InvalidLayerPartException": ("BLOB_UPLOAD_INVALID", 416),
    "ImageDigestDoesNotMatchException": ("DIGEST_INVALID", 400),
    "ImageTagAlreadyExistsException": ("TAG_INVALID", 400),
    "ReferencedImagesNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 404),
    "UnsupportedImageTypeException": ("MANIFEST_INVALID", 400),
    "InvalidParameterException": ("MANIFEST_INVALID", 400),
    "UnableToGetUpstreamImageException": ("MANIFEST_UNKNOWN", 404),
    "UnableToGetUpstreamLayerException": ("BLOB_UNKNOWN", 404),
}


class RegistryError(Exception):
    """An error as the distribution specification words it."""

    def __init__(
        self, code: str, message: str, status: int, detail: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.detail = detail
        self.headers = headers or {}

    def response(self) -> Response:
        """The response that tells it."""
        error = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        body = json.dumps({"errors": [error]}).encode()
        return Response(
            self.status, {"content-type": "application/json; charset=utf-8", **self.headers}, body
        )


def registry_error(error: AwsError, pushing_manifest: bool = False) -> RegistryError:
    """What the distribution API calls an error of ECR."""
    code, status = _CODES.get(error.code, ("UNKNOWN", error.status or HTTPStatus.BAD_REQUEST))
    if pushing_manifest and code == "BLOB_UNKNOWN":
        code = "MANIFEST_BLOB_UNKNOWN"
    return RegistryError(code, error.message, status)
