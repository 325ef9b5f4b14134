"""Registries of other regions and accounts, and repositories that come by themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ecr.oci import OCI_INDEX, OCI_MANIFEST, Registry, error_of
from tests.waiting import until


def replicate(ecr: Any, account: str, region: str = "eu-west-1", **rule: Any) -> None:
    destination = {"region": region, "registryId": account}
    ecr.put_replication_configuration(
        replicationConfiguration={"rules": [{"destinations": [destination], **rule}]}
    )


def status(ecr: Any, tag: str = "v1") -> str:
    answer = ecr.describe_image_replication_status(repositoryName="app", imageId={"imageTag": tag})
    return answer["replicationStatuses"][0]["status"]


def test_a_push_is_copied_to_another_region(engine: Any, ecr: Any, registry: Registry) -> None:
    replicate(ecr, engine.account)
    image = registry.push_image("app", "amd64", b"one")
    members = [{"mediaType": OCI_MANIFEST, "digest": image, "size": 1}]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": members})
    registry.call("PUT", "/v2/app/manifests/v1", index, content_type=OCI_INDEX)
    until(lambda: status(ecr) == "COMPLETE")
    there = engine.client("ecr", region_name="eu-west-1")
    token = there.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    host = f"{engine.account}.dkr.ecr.eu-west-1.amazonaws.com"
    copy = Registry(engine.url, token, host).call("GET", "/v2/app/manifests/v1")
    assert copy.data.decode() == index
    arn = there.describe_repositories(repositoryNames=["app"])["repositories"][0]["repositoryArn"]
    assert arn == f"arn:aws:ecr:eu-west-1:{engine.account}:repository/app"


def test_filters_choose_what_is_copied(engine: Any, ecr: Any, registry: Registry) -> None:
    replicate(ecr, engine.account, repositoryFilters=[{"filter": "prod", "filterType": "PREFIX_MATCH"}])
    registry.push_image("app", "v1", b"one")
    answer = ecr.describe_image_replication_status(repositoryName="app", imageId={"imageTag": "v1"})
    assert answer["replicationStatuses"] == []


def test_a_deletion_is_repeated_when_the_rule_says_so(engine: Any, ecr: Any, registry: Registry) -> None:
    replicate(ecr, engine.account, deleteReplication={"enabled": True})
    registry.push_image("app", "v1", b"one")
    until(lambda: status(ecr) == "COMPLETE")
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])
    there = engine.client("ecr", region_name="eu-west-1")
    until(lambda: there.list_images(repositoryName="app")["imageIds"] == [])


def test_another_account_must_let_it_be(engine: Any, ecr: Any, registry: Registry) -> None:
    replicate(ecr, "999999999999")
    registry.push_image("app", "v1", b"one")
    until(lambda: status(ecr) == "FAILED")


def test_a_token_is_good_in_its_region_alone(engine: Any, registry: Registry) -> None:
    host = f"{engine.account}.dkr.ecr.eu-west-1.amazonaws.com"
    elsewhere = Registry(engine.url, registry._headers["authorization"].split()[1], host)
    refused = elsewhere.call("GET", "/v2/")
    assert refused.status == 401
    assert refused.headers["www-authenticate"] == f'Basic realm="http://{host}/",service="ecr.amazonaws.com"'


def test_on_loopback_the_path_may_name_the_registry(engine: Any) -> None:
    there = engine.client("ecr", region_name="eu-west-1")
    there.create_repository(repositoryName="app")
    token = there.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    name = f"{engine.account}.dkr.ecr.eu-west-1.amazonaws.com/app"
    registry = Registry(engine.url, token)
    digest = registry.push_image(name, "v1", b"one")
    upload = registry.call("POST", f"/v2/{name}/blobs/uploads/").headers["location"]
    assert registry.call("PATCH", upload, b"x").status == 202
    assert there.list_images(repositoryName="app")["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]


def test_a_template_lets_a_push_create_its_repository(ecr: Any, registry: Registry) -> None:
    refused = registry.call("POST", "/v2/team/new/blobs/uploads/")
    assert error_of(refused) == "NAME_UNKNOWN"
    ecr.create_repository_creation_template(
        prefix="team", appliedFor=["CREATE_ON_PUSH"], imageTagMutability="IMMUTABLE"
    )
    registry.push_image("team/new", "v1", b"one")
    (made,) = ecr.describe_repositories(repositoryNames=["team/new"])["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"


def test_templates_are_kept(ecr: Any) -> None:
    ecr.create_repository_creation_template(prefix="ROOT", appliedFor=["REPLICATION"])
    ecr.update_repository_creation_template(prefix="ROOT", description="all")
    (kept,) = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    assert (kept["prefix"], kept["description"], kept["appliedFor"]) == ("ROOT", "all", ["REPLICATION"])
    ecr.delete_repository_creation_template(prefix="ROOT")
    with pytest.raises(ecr.exceptions.TemplateNotFoundException):
        ecr.delete_repository_creation_template(prefix="ROOT")
