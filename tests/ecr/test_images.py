"""Images are taken whole or not at all, and are what both APIs say they are."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.ecr.oci import CONFIG, OCI_INDEX, OCI_MANIFEST, Registry, digest_of, error_of, image


def test_a_pushed_image_is_described(ecr: Any, registry: Registry) -> None:
    digest = registry.push_image("app", "v1", b"one", b"other")
    (detail,) = ecr.describe_images(repositoryName="app")["imageDetails"]
    assert detail["imageDigest"] == digest
    assert detail["imageTags"] == ["v1"]
    assert detail["imageSizeInBytes"] == len(b"one") + len(b"other") + len(b"{}")
    assert (detail["imageManifestMediaType"], detail["artifactMediaType"]) == (OCI_MANIFEST, CONFIG)
    assert ecr.list_images(repositoryName="app")["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]


def test_a_manifest_comes_back_byte_for_byte(ecr: Any, registry: Registry) -> None:
    config = registry.push_blob("app", b"{}")
    text = json.dumps(image(config, []), indent=7) + "\n\n"
    registry.call("PUT", "/v2/app/manifests/odd", text, content_type=OCI_MANIFEST)
    assert registry.call("GET", "/v2/app/manifests/odd").data.decode() == text
    fetched = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "odd"}])["images"]
    assert fetched[0]["imageManifest"] == text


def test_a_manifest_with_missing_layers_is_refused(ecr: Any, registry: Registry) -> None:
    config = registry.push_blob("app", b"{}")
    absent = {"mediaType": "x", "digest": digest_of(b"absent"), "size": 6}
    text = json.dumps(image(config, [absent]))
    refused = registry.call("PUT", "/v2/app/manifests/v1", text, content_type=OCI_MANIFEST)
    assert (refused.status, error_of(refused)) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert ecr.list_images(repositoryName="app")["imageIds"] == []
    with pytest.raises(ecr.exceptions.LayersNotFoundException, match=digest_of(b"absent")):
        ecr.put_image(repositoryName="app", imageManifest=text, imageTag="v1")


def test_layers_of_another_repository_do_not_count(registry: Registry) -> None:
    config = registry.push_blob("other", b"{}")
    refused = registry.call("PUT", "/v2/app/manifests/v1", json.dumps(image(config, [])))
    assert error_of(refused) == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"schemaVersion": 1}',
        b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}',
        b'{"schemaVersion": 2, "manifests": [{"digest": "../../etc", "size": 1}]}',
        b'{"schemaVersion": 2, "mediaType": "text/plain", "config": {}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_manifest_is_refused(ecr: Any, registry: Registry, text: bytes) -> None:
    refused = registry.call("PUT", "/v2/app/manifests/v1", text)
    assert (refused.status, error_of(refused)) == (400, "MANIFEST_INVALID")
    assert ecr.list_images(repositoryName="app")["imageIds"] == []


def test_a_manifest_under_another_digest_is_refused(registry: Registry) -> None:
    refused = registry.call("PUT", f"/v2/app/manifests/{digest_of(b'x')}", b"{}")
    assert (refused.status, error_of(refused)) == (400, "DIGEST_INVALID")


def test_a_manifest_over_four_megabytes_is_refused(registry: Registry) -> None:
    refused = registry.call("PUT", "/v2/app/manifests/v1", b" " * (4 * 1024 * 1024 + 1))
    assert refused.status == 413


def test_an_index_keeps_its_images(ecr: Any, registry: Registry) -> None:
    amd, arm = registry.push_image("app", "amd64", b"amd"), registry.push_image("app", "arm64", b"arm")
    members = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 1} for digest in (amd, arm)]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": members})
    assert registry.call("PUT", "/v2/app/manifests/v1", index, content_type=OCI_INDEX).status == 201
    failures = ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": amd}])["failures"]
    assert failures[0]["failureCode"] == "ImageReferencedByManifestList"
    assert registry.call("DELETE", f"/v2/app/manifests/{amd}").status == 405
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])
    assert ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": amd}])["failures"] == []


def test_an_index_of_unknown_images_is_refused(registry: Registry) -> None:
    index = {
        "schemaVersion": 2,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": digest_of(b"x"), "size": 1}],
    }
    refused = registry.call("PUT", "/v2/app/manifests/v1", json.dumps(index), content_type=OCI_INDEX)
    assert error_of(refused) == "MANIFEST_BLOB_UNKNOWN"


def test_referrers_name_what_signs_an_image(ecr: Any, registry: Registry) -> None:
    subject = registry.push_image("app", "v1", b"one")
    descriptor = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
    notes = {"org.example": "yes"}
    signature = registry.push_image(
        "app", "sig", b"sig", subject=descriptor, artifactType="application/sig", annotations=notes
    )
    (listed,) = registry.call("GET", f"/v2/app/referrers/{subject}").json()["manifests"]
    assert (listed["digest"], listed["artifactType"], listed["annotations"]) == (
        signature,
        "application/sig",
        notes,
    )
    filtered = registry.call("GET", f"/v2/app/referrers/{subject}?artifactType=other")
    assert filtered.json()["manifests"] == [] and filtered.headers["oci-filters-applied"] == "artifactType"
    told = ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": subject})["referrers"]
    assert told[0]["digest"] == signature


def test_tags_come_in_pages(registry: Registry) -> None:
    for tag in ("b", "a", "C", "d"):
        registry.push_image("app", tag, b"one")
    page = registry.call("GET", "/v2/app/tags/list?n=3")
    assert page.json() == {"name": "app", "tags": ["C", "a", "b"]}
    assert page.headers["link"] == '</v2/app/tags/list?n=3&last=b>; rel="next"'
    assert registry.call("GET", "/v2/app/tags/list?n=3&last=b").json()["tags"] == ["d"]


def test_an_image_goes_with_its_last_tag(ecr: Any, registry: Registry) -> None:
    digest = registry.push_image("app", "v1", b"one")
    registry.push_image("app", "v2", b"one")
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])
    assert ecr.list_images(repositoryName="app")["imageIds"] == [{"imageDigest": digest, "imageTag": "v2"}]
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v2"}])
    assert ecr.describe_images(repositoryName="app")["imageDetails"] == []


@pytest.mark.parametrize(
    ("mutability", "filters", "tag", "refused"),
    [
        ("MUTABLE", None, "v1", False),
        ("IMMUTABLE", None, "v1", True),
        ("IMMUTABLE_WITH_EXCLUSION", "dev-*", "dev-1", False),
        ("IMMUTABLE_WITH_EXCLUSION", "dev-*", "v1", True),
        ("MUTABLE_WITH_EXCLUSION", "v*", "v1", True),
        ("MUTABLE_WITH_EXCLUSION", "v*", "latest", False),
    ],
)
def test_an_immutable_tag_stays_with_its_image(
    ecr: Any, registry: Registry, mutability: str, filters: str | None, tag: str, refused: bool
) -> None:
    settings: dict[str, Any] = {"imageTagMutability": mutability}
    if filters:
        settings["imageTagMutabilityExclusionFilters"] = [{"filterType": "WILDCARD", "filter": filters}]
    ecr.put_image_tag_mutability(repositoryName="app", **settings)
    first = registry.push_image("app", tag, b"one")
    config = registry.push_blob("app", b'{"other": 1}')
    answer = registry.call("PUT", f"/v2/app/manifests/{tag}", json.dumps(image(config, [])))
    if refused:
        assert (answer.status, error_of(answer)) == (400, "TAG_INVALID")
        assert answer.json()["errors"][0]["message"] == (
            f"The image tag '{tag}' already exists in the 'app' repository and cannot be overwritten because the "
            "tag is immutable."
        )
    held = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": tag}])["images"][0]
    assert (held["imageId"]["imageDigest"] == first) == refused


def test_an_image_by_the_api_alone(ecr: Any, registry: Registry) -> None:
    blobs = {}
    for data in (b"{}", b"a layer" * 1000):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        upload = ecr.initiate_layer_upload(repositoryName="app")["uploadId"]
        half = len(data) // 2
        for first, part in ((0, data[:half]), (half, data[half:])):
            ecr.upload_layer_part(
                repositoryName="app",
                uploadId=upload,
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
        ecr.complete_layer_upload(repositoryName="app", uploadId=upload, layerDigests=[digest])
        blobs[data] = {"digest": digest, "size": len(data), "mediaType": "x"}
    text = json.dumps(image(blobs[b"{}"], [blobs[b"a layer" * 1000]]))
    ecr.put_image(repositoryName="app", imageManifest=text, imageTag="v1")
    assert registry.call("GET", "/v2/app/manifests/v1").data.decode() == text
    digest = blobs[b"{}"]["digest"]
    url = ecr.get_download_url_for_layer(repositoryName="app", layerDigest=digest)["downloadUrl"]
    anonymous = Registry("", None)
    assert anonymous.call("GET", url).data == b"{}"
    assert anonymous.call("GET", url.replace("/app/", "/other/")).status == 401
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(repositoryName="app", imageManifest=text, imageTag="v1")


def test_a_repository_with_images_is_deleted_by_force_only(ecr: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"one")
    with pytest.raises(ecr.exceptions.RepositoryNotEmptyException):
        ecr.delete_repository(repositoryName="app")
    ecr.delete_repository(repositoryName="app", force=True)
    assert error_of(registry.call("GET", "/v2/app/manifests/v1")) == "NAME_UNKNOWN"
