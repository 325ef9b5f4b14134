"""A cache brings images from another registry when they are first pulled. Here the other is the engine's own."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from homeport.engine.config import Config
from homeport.engine.services.ecr.upstream import open_upstream
from tests.ecr.oci import OCI_INDEX, OCI_MANIFEST, Registry, digest_of, error_of
from tests.ecr.users import as_user


@pytest.fixture
def cache(engine: Any, ecr: Any, registry: Registry) -> Registry:
    """A rule that caches this registry under the prefix `cache`."""
    basic = base64.b64decode(registry._headers["authorization"].split()[1]).decode()
    value = json.dumps({"username": "AWS", "accessToken": basic.removeprefix("AWS:")})
    secret = engine.client("secretsmanager").create_secret(
        Name="ecr-pullthroughcache/here", SecretString=value
    )
    ecr.create_pull_through_cache_rule(
        ecrRepositoryPrefix="cache",
        upstreamRegistryUrl=f"127.0.0.1:{engine.port}",
        credentialArn=secret["ARN"],
    )
    return registry


def test_an_image_comes_when_it_is_pulled(ecr: Any, cache: Registry) -> None:
    digest = cache.push_image("app", "v1", b"a layer" * 100_000)
    manifest = cache.call("GET", "/v2/cache/app/manifests/v1")
    assert manifest.headers["docker-content-digest"] == digest
    layer = manifest.json()["layers"][0]["digest"]
    assert cache.call("GET", f"/v2/cache/app/blobs/{layer}").data == b"a layer" * 100_000
    assert cache.call("GET", f"/v2/cache/app/manifests/{digest}").data == manifest.data
    cache.call("GET", f"/v2/cache/app/blobs/{manifest.json()['config']['digest']}")
    (detail,) = ecr.describe_images(repositoryName="cache/app")["imageDetails"]
    assert detail["imageTags"] == ["v1"]


def test_a_cached_image_needs_no_upstream(ecr: Any, cache: Registry) -> None:
    cache.push_image("app", "v1", b"one")
    config = cache.call("GET", "/v2/cache/app/manifests/v1").json()["config"]["digest"]
    cache.call("GET", f"/v2/cache/app/blobs/{config}")
    while not ecr.list_images(repositoryName="cache/app")["imageIds"]:
        pass
    ecr.delete_repository(repositoryName="app", force=True)
    assert cache.call("GET", "/v2/cache/app/manifests/v1").status == 200
    assert cache.call("GET", f"/v2/cache/app/blobs/{digest_of(b'one')}").data == b"one"


def test_of_an_index_only_the_pulled_image_comes(ecr: Any, cache: Registry) -> None:
    amd, arm = cache.push_image("app", "amd64", b"amd"), cache.push_image("app", "arm64", b"arm")
    members = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 1} for digest in (amd, arm)]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": members})
    cache.call("PUT", "/v2/app/manifests/v1", index, content_type=OCI_INDEX)
    assert cache.call("GET", "/v2/cache/app/manifests/v1").data.decode() == index
    assert cache.call("GET", f"/v2/cache/app/manifests/{arm}").status == 200
    assert cache.call("GET", f"/v2/cache/app/blobs/{digest_of(b'arm')}").data == b"arm"
    listed = {image["imageDigest"] for image in ecr.list_images(repositoryName="cache/app")["imageIds"]}
    assert amd not in listed


def test_the_api_brings_images_too(ecr: Any, cache: Registry) -> None:
    digest = cache.push_image("app", "v1", b"one")
    answer = ecr.batch_get_image(
        repositoryName="cache/app", imageIds=[{"imageTag": "v1"}, {"imageTag": "no"}]
    )
    assert answer["images"][0]["imageId"]["imageDigest"] == digest
    assert answer["failures"][0]["failureCode"] == "UpstreamUnavailable"
    assert ecr.describe_images(repositoryName="cache/app")["imageDetails"][0]["imageTags"] == ["v1"]


def test_who_may_not_import_does_not(engine: Any, cache: Registry) -> None:
    cache.push_image("app", "v1", b"one")
    arn = f"arn:aws:ecr:{engine.region}:{engine.account}:repository/cache/app"
    user = as_user(engine, "ecr:BatchGetImage", "ecr:CreateRepository", resource=arn)
    told = user.call("GET", "/v2/cache/app/manifests/v1").json()["errors"][0]
    assert told["code"] == "DENIED" and "perform: ecr:BatchImportUpstreamImage on resource" in told["message"]


def test_what_the_upstream_does_not_have(cache: Registry) -> None:
    refused = cache.call("GET", "/v2/cache/app/manifests/nosuch")
    assert (refused.status, error_of(refused)) == (404, "MANIFEST_UNKNOWN")


def test_a_rule_is_checked_against_its_registry(engine: Any, ecr: Any, cache: Registry) -> None:
    assert ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="cache")["isValid"]
    rule = ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="dead", upstreamRegistryUrl="127.0.0.1:1")
    assert "upstreamRepositoryPrefix" not in rule, "Terraform would replace what it did not ask for"
    told = ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="dead")
    assert not told["isValid"] and "cannot be reached" in told["failure"]
    with pytest.raises(ecr.exceptions.PullThroughCacheRuleAlreadyExistsException):
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="dead", upstreamRegistryUrl="127.0.0.1:1")


async def test_a_manifest_that_comes_in_pieces_is_whole():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\nmani")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"fest")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with open_upstream(Config(Path("/nowhere")), host, None) as upstream:
        assert await upstream.manifest("app", "v1") == (b"manifest", "text/plain")
    server.close()
