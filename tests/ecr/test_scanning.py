"""A scan lists what an image has and says what is wrong with it; without advisories it says nothing but that."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ecr import images
from tests.ecr.images import advisory, layer, npm, wheel
from tests.ecr.oci import Registry

CRITICAL = {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}
ADVISORIES = [
    advisory("DSA-1", "Debian:12", "openssl", "3.0.11-1~deb12u3", aliases=["CVE-2026-1"], **CRITICAL),
    advisory("DSA-2", "Debian:11", "openssl", "4"),
    advisory("PYSEC-1", "PyPI", "requests", "2.31.0", database_specific={"severity": "MODERATE"}),
    advisory("GHSA-1", "npm", "lodash", "4.17.21", database_specific={"severity": "HIGH"}),
    advisory("GHSA-2", "npm", "@scope/kept", "1.0.0"),
    advisory("GO-1", "Go", "golang.org/x/net", "0.17.0"),
    advisory("GO-2", "Go", "stdlib", None),
    advisory("GHSA-3", "Maven", "org.apache.logging.log4j:log4j-core", "2.17.1", aliases=["CVE-2021-44228"]),
    advisory("PYSEC-2", "PyPI", "removed", None),
    advisory("GHSA-4", "npm", "lodash", "9.9.9", withdrawn="2026-01-01T00:00:00Z"),
]
LAYERS = (
    layer(
        {"usr/lib/os-release": images.OS_RELEASE, "var/lib/dpkg/status": images.DPKG}
        | wheel("removed", "1.0")
    ),
    layer(wheel("requests", "2.30.0") | npm("lodash", "4.17.20") | npm("@scope/kept", "1.0.0"), "zstd"),
    layer(
        {
            "usr/lib/python3/.wh.removed-1.0.dist-info": b"",
            "usr/bin/app": images.go_program(("golang.org/x/net", "v0.10.0"), ("golang.org/x/sys", "v0.1.0")),
            "app/app.jar": images.jar("org.apache.logging.log4j", "log4j-core", "2.14.0"),
            "app/damaged.jar": images.damaged_jar(),
            "app/odd.egg-info": b"Name: caf\xe9\nVersion: 1\n",
        },
        "none",
    ),
)


@pytest.fixture
def advisories(engine: Any) -> Iterator[Path]:
    folder = engine.data / "advisories"
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def scanned(ecr: Any, tag: str = "v1") -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while True:
        answer = ecr.describe_image_scan_findings(repositoryName="app", imageId={"imageTag": tag})
        if answer["imageScanStatus"]["status"] != "IN_PROGRESS":
            return answer
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_push_is_scanned_in_all_its_languages(ecr: Any, registry: Registry, advisories: Path) -> None:
    (advisories / "all.json").write_text(json.dumps(ADVISORIES))
    ecr.put_image_scanning_configuration(
        repositoryName="app", imageScanningConfiguration={"scanOnPush": True}
    )
    registry.push_image("app", "v1", *LAYERS)
    answer = scanned(ecr)
    assert answer["imageScanStatus"]["status"] == "COMPLETE"
    found = {}
    for finding in answer["imageScanFindings"]["findings"]:
        told = {each["key"]: each["value"] for each in finding["attributes"]}
        found[finding["name"]] = (
            finding["severity"],
            told["package_name"],
            told["package_version"],
            told.get("fixed_in_version"),
        )
    assert found == {
        "CVE-2026-1": ("CRITICAL", "libssl3", "3.0.11-1~deb12u2", "3.0.11-1~deb12u3"),
        "PYSEC-1": ("MEDIUM", "requests", "2.30.0", "2.31.0"),
        "GHSA-1": ("HIGH", "lodash", "4.17.20", "4.17.21"),
        "GO-1": ("UNDEFINED", "golang.org/x/net", "0.10.0", "0.17.0"),
        "GO-2": ("UNDEFINED", "stdlib", "1.21.0", None),
        "CVE-2021-44228": ("UNDEFINED", "org.apache.logging.log4j:log4j-core", "2.14.0", "2.17.1"),
    }
    summary = ecr.describe_images(repositoryName="app")["imageDetails"][0]["imageScanFindingsSummary"]
    assert summary["findingSeverityCounts"] == {"CRITICAL": 1, "HIGH": 1, "MEDIUM": 1, "UNDEFINED": 3}


def test_without_advisories_a_scan_fails_and_says_so(engine: Any, ecr: Any, registry: Registry) -> None:
    digest = registry.push_image("app", "v1", *LAYERS)
    ecr.start_image_scan(repositoryName="app", imageId={"imageTag": "v1"})
    answer = scanned(ecr)
    assert answer["imageScanStatus"]["status"] == "FAILED"
    assert "there is no advisory database" in answer["imageScanStatus"]["description"]
    assert "imageScanFindings" not in answer
    sbom = json.loads((engine.data / "ecr-sboms" / f"{digest.replace(':', '-')}.cdx.json").read_text())
    assert sbom["bomFormat"] == "CycloneDX"
    assert {component["purl"] for component in sbom["components"]} == {
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64",
        "pkg:pypi/requests@2.30.0",
        "pkg:pypi/caf%ef%bf%bd@1",
        "pkg:npm/lodash@4.17.20",
        "pkg:npm/%40scope/kept@1.0.0",
        "pkg:golang/golang.org/x/net@0.10.0",
        "pkg:golang/golang.org/x/sys@0.1.0",
        "pkg:golang/stdlib@1.21.0",
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0",
    }


def test_an_enhanced_scan_names_the_package_and_its_mend(
    ecr: Any, registry: Registry, advisories: Path
) -> None:
    (advisories / "one.json").write_text(json.dumps(ADVISORIES[0]))
    rule = {
        "scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{"filter": "a*", "filterType": "WILDCARD"}],
    }
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule])
    registry.push_image("app", "v1", *LAYERS)
    answer = scanned(ecr)
    assert answer["imageScanStatus"]["status"] == "ACTIVE"
    (finding,) = answer["imageScanFindings"]["enhancedFindings"]
    details = finding["packageVulnerabilityDetails"]
    assert (finding["severity"], finding["score"], finding["fixAvailable"]) == ("CRITICAL", 9.8, "YES")
    assert details["vulnerablePackages"][0]["fixedInVersion"] == "3.0.11-1~deb12u3"


def test_new_advisories_are_matched_against_what_is_under_continuous_scan(own_engine: Any) -> None:
    own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="200")
    advisories = own_engine.data / "advisories"
    advisories.mkdir(exist_ok=True)
    (advisories / "one.json").write_text(json.dumps(ADVISORIES[0]))
    ecr = own_engine.client("ecr", aws_access_key_id="AKIAANYBODY", aws_secret_access_key="any")
    ecr.create_repository(repositoryName="app")
    rule = {
        "scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
    }
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule])
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    Registry(own_engine.url, token).push_image("app", "v1", *LAYERS)
    assert len(scanned(ecr)["imageScanFindings"]["enhancedFindings"]) == 1
    (advisories / "two.json").write_text(json.dumps(ADVISORIES[3]))
    deadline = time.monotonic() + 20
    while len(scanned(ecr)["imageScanFindings"]["enhancedFindings"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


AMAZON = {"etc/os-release": b'ID="amzn"\nVERSION_ID="2"\n'}
UNSUPPORTED = {
    "no advisories in OSV form exist for the operating system void 1, of which it has 1 packages": {
        "etc/os-release": b"ID=void\nVERSION_ID=1\n",
        "var/lib/dpkg/status": images.DPKG,
    },
    "the rpm database /var/lib/rpm/Packages has the form Berkeley DB": AMAZON
    | {"var/lib/rpm/Packages": b"\0" * 64},
    "the rpm database /usr/lib/sysimage/rpm/Packages.db has the form ndb": {
        "usr/lib/sysimage/rpm/Packages.db": b"RpmP" * 16
    },
    "the rpm database /var/lib/rpm/rpmdb.sqlite is damaged": AMAZON
    | {"var/lib/rpm/rpmdb.sqlite": b"no database"},
    "it has no packages of an operating system or a language": {"app": b"a static binary"},
}


def test_what_cannot_be_looked_at_is_unsupported_and_never_without_findings(
    ecr: Any, registry: Registry, advisories: Path
) -> None:
    (advisories / "all.json").write_text(json.dumps(ADVISORIES))
    for number, (reason, files) in enumerate(UNSUPPORTED.items()):
        registry.push_image("app", f"v{number}", layer(files))
        ecr.start_image_scan(repositoryName="app", imageId={"imageTag": f"v{number}"})
        answer = scanned(ecr, f"v{number}")
        assert answer["imageScanStatus"]["status"] == "UNSUPPORTED_IMAGE"
        assert reason in answer["imageScanStatus"]["description"]
        assert "imageScanFindings" not in answer
    summaries = [
        each.get("imageScanFindingsSummary")
        for each in ecr.describe_images(repositoryName="app")["imageDetails"]
    ]
    assert summaries == [None] * len(UNSUPPORTED)


def test_what_an_unsupported_image_has_of_known_languages_is_found(
    ecr: Any, registry: Registry, advisories: Path
) -> None:
    (advisories / "all.json").write_text(json.dumps(ADVISORIES))
    registry.push_image(
        "app", "v1", layer(AMAZON | {"var/lib/rpm/Packages": b"old"} | wheel("requests", "2.30.0"))
    )
    ecr.start_image_scan(repositoryName="app", imageId={"imageTag": "v1"})
    answer = scanned(ecr)
    assert answer["imageScanStatus"]["status"] == "UNSUPPORTED_IMAGE"
    assert [each["name"] for each in answer["imageScanFindings"]["findings"]] == ["PYSEC-1"]


def test_advisories_that_know_nothing_of_the_distribution_are_named(
    ecr: Any, registry: Registry, advisories: Path
) -> None:
    (advisories / "some.json").write_text(json.dumps(ADVISORIES[2]))
    registry.push_image("app", "v1", *LAYERS)
    ecr.start_image_scan(repositoryName="app", imageId={"imageTag": "v1"})
    answer = scanned(ecr)
    assert answer["imageScanStatus"]["status"] == "FAILED"
    assert (
        "knows nothing of Debian: `homeport advisories sync Debian`"
        in answer["imageScanStatus"]["description"]
    )
    (advisories / "some.json").write_text(json.dumps([ADVISORIES[0], ADVISORIES[2]]))
    ecr.start_image_scan(repositoryName="app", imageId={"imageTag": "v1"})
    answer = scanned(ecr)
    assert answer["imageScanStatus"]["status"] == "COMPLETE"
    assert "Packages of Go, Maven, npm were not looked at" in answer["imageScanStatus"]["description"]


def test_a_layer_that_is_no_archive_fails_the_scan(ecr: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"this is not a tar archive" * 100)
    ecr.start_image_scan(repositoryName="app", imageId={"imageTag": "v1"})
    assert "a layer cannot be read" in scanned(ecr)["imageScanStatus"]["description"]


def test_an_image_that_was_not_scanned_has_no_findings_to_tell(ecr: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"one")
    with pytest.raises(ecr.exceptions.ScanNotFoundException):
        ecr.describe_image_scan_findings(repositoryName="app", imageId={"imageTag": "v1"})


TRIVY = """#!/bin/sh
echo "$@" > "$0.arguments"
cat <<END
{"Results": [{"Target": "app", "Type": "debian", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-7",
"PkgName": "zlib1g", "InstalledVersion": "1.2", "FixedVersion": "1.3", "Severity": "HIGH"}]}]}
END
"""


def test_an_installed_trivy_is_asked_instead(own_engine: Any, tmp_path: Path) -> None:
    """The script stands for the program: it tells what it was asked and answers in Trivy's form."""
    program = tmp_path / "trivy"
    program.write_text(TRIVY)
    program.chmod(0o755)
    own_engine.start(PATH=f"{tmp_path}:{os.environ['PATH']}")
    ecr = own_engine.client("ecr")
    ecr.create_repository(repositoryName="app")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    digest = Registry(own_engine.url, token).push_image("app", "v1", *LAYERS)
    ecr.start_image_scan(repositoryName="app", imageId={"imageTag": "v1"})
    (finding,) = scanned(ecr)["imageScanFindings"]["findings"]
    assert (finding["name"], finding["severity"]) == ("CVE-2026-7", "HIGH")
    arguments = (tmp_path / "trivy.arguments").read_text()
    assert arguments.rstrip().endswith(f"127.0.0.1:{own_engine.port}/app@{digest}")
