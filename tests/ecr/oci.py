"""A small client of the distribution API for the tests: it does what it is told, also what no client should."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import urllib3

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Registry:
    """The registry of an engine, as the bearer of a token."""

    def __init__(self, url: str, token: str | None, host: str | None = None) -> None:
        self.url = url
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self._headers = {"host": host} if host else {}
        if token:
            self._headers["authorization"] = "Basic " + token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self._http.request(method, self.url + path, body=body, headers=sent, redirect=False)

    def push_blob(self, repository: str, data: bytes) -> dict[str, Any]:
        digest = digest_of(data)
        answer = self.call("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", data)
        assert answer.status == 201, answer.data
        return {"mediaType": LAYER, "digest": digest, "size": len(data)}

    def push_image(self, repository: str, reference: str, *layers: bytes, **members: Any) -> str:
        """Push an image of these layers and return its digest."""
        blobs = [self.push_blob(repository, layer) for layer in layers]
        config = self.push_blob(repository, b"{}") | {"mediaType": CONFIG}
        text = json.dumps(image(config, blobs) | members).encode()
        answer = self.call("PUT", f"/v2/{repository}/manifests/{reference}", text, content_type=OCI_MANIFEST)
        assert answer.status == 201, answer.data
        return digest_of(text)


def image(config: dict[str, Any], layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def error_of(answer: urllib3.BaseHTTPResponse) -> str:
    return answer.json()["errors"][0]["code"]


def basic(token: str) -> str:
    return base64.b64encode(f"AWS:{token}".encode()).decode()
