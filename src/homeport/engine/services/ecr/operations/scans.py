"""Scans of images and what they found; the registry's scanning configuration."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_image, find_repository, tags_of
from homeport.engine.services.ecr.scans import SCANNED, SCANNING, scan_frequency, scan_type, start_scan
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.settings import read_setting, write_setting
from homeport.engine.services.ecr.tables import REPOSITORIES, SCANS
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def start_image_scan(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartImageScan.html"""
    ctx = registry_of(ctx, request)
    image = _image(ctx, request)
    return _identity(ctx, request, image) | {"imageScanStatus": _status(start_scan(ctx, image))}


@operation
async def describe_image_scan_findings(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html"""
    ctx = registry_of(ctx, request)
    image = _image(ctx, request)
    scan = SCANS.get(ctx, image["repositoryName"], image["imageDigest"])
    if scan is None:
        raise AwsError(
            "ScanNotFoundException",
            f"Image scan does not exist for the image with '{{imageDigest:'{image['imageDigest']}'}}' in the "
            f"repository with name '{image['repositoryName']}' in the registry with id '{ctx.scope.account}'",
        )
    answer = _identity(ctx, request, image) | {"imageScanStatus": _status(scan)}
    if not scan.get("findings") and scan["status"] not in SCANNED:
        return answer
    numbered, token = page(
        list(enumerate(scan["findings"])),
        request.get("maxResults") or 1000,
        request.get("nextToken"),
        key=lambda item: item[0],
        error="InvalidParameterException",
    )
    findings = [finding for _, finding in numbered]
    told: Body = {
        "imageScanCompletedAt": scan["completedAt"],
        "vulnerabilitySourceUpdatedAt": scan["sourceUpdatedAt"],
        "findingSeverityCounts": scan["severityCounts"],
    }
    if scan["enhanced"]:
        told["enhancedFindings"] = [_enhanced(ctx, image, scan, finding) for finding in findings]
    else:
        told["findings"] = [_basic(finding) for finding in findings]
    return answer | {"imageScanFindings": told, "nextToken": token}


@operation
async def get_registry_scanning_configuration(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryScanningConfiguration.html"""
    rules = read_setting(ctx, SCANNING).get("rules", [])
    configuration = {"scanType": scan_type(ctx), "rules": rules}
    return {"registryId": ctx.scope.account, "scanningConfiguration": configuration}


@operation
async def put_registry_scanning_configuration(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutRegistryScanningConfiguration.html"""
    kind, rules = request.get("scanType") or scan_type(ctx), request.get("rules") or []
    if kind == "BASIC" and any(rule["scanFrequency"] == "CONTINUOUS_SCAN" for rule in rules):
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'rules' failed to satisfy constraint: 'CONTINUOUS_SCAN goes with scanType "
            "ENHANCED alone'",
        )
    write_setting(ctx, SCANNING, scanType=kind, rules=rules)
    return {"registryScanningConfiguration": {"scanType": kind, "rules": rules}}


@operation
async def batch_get_repository_scanning_configuration(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetRepositoryScanningConfiguration.html"""
    configurations, failures = [], []
    for name in request["repositoryNames"]:
        row = REPOSITORIES.get(ctx, name)
        if row is None:
            reason = f"The repository with name '{name}' does not exist"
            failures.append(
                {"repositoryName": name, "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": reason}
            )
            continue
        frequency, filters = scan_frequency(ctx, name)
        on_push = row["imageScanningConfiguration"]["scanOnPush"]
        configurations.append(
            {
                "repositoryArn": ctx.arn(f"repository/{name}"),
                "repositoryName": name,
                "scanOnPush": on_push or frequency != "MANUAL",
                "scanFrequency": "SCAN_ON_PUSH" if on_push and frequency == "MANUAL" else frequency,
                "appliedScanFilters": filters,
            }
        )
    return {"scanningConfigurations": configurations, "failures": failures}


def _image(ctx: Context, request: Body) -> Body:
    name, image_id = request["repositoryName"], request["imageId"]
    find_repository(ctx, name)
    return find_image(ctx, name, image_id.get("imageDigest"), image_id.get("imageTag"))


def _identity(ctx: Context, request: Body, image: Body) -> Body:
    image_id = {"imageDigest": image["imageDigest"]}
    if tag := request["imageId"].get("imageTag"):
        image_id["imageTag"] = tag
    return {"registryId": ctx.scope.account, "repositoryName": image["repositoryName"], "imageId": image_id}


def _status(scan: Body) -> Body:
    return {"status": scan["status"], "description": scan["description"]}


def _basic(finding: Body) -> Body:
    attributes = {
        "package_version": finding["version"],
        "package_name": finding["package"],
        "fixed_in_version": finding["fixed"] or "",
        "package_path": finding["path"],
        "CVSS_VECTOR": finding["vector"],
        "CVSS_SCORE": str(finding["score"]) if finding["score"] else "",
    }
    return {
        "name": finding["id"],
        "description": finding["description"],
        "uri": finding["uri"],
        "severity": finding["severity"],
        "attributes": [{"key": key, "value": value} for key, value in attributes.items() if value],
    }


def _enhanced(ctx: Context, image: Body, scan: Body, finding: Body) -> Body:
    package = {
        "name": finding["package"],
        "version": finding["version"],
        "packageManager": finding["manager"].upper(),
        "filePath": finding["path"],
        "arch": finding["arch"],
        "fixedInVersion": finding["fixed"] or "NotAvailable",
    }
    details: Body = {
        "vulnerabilityId": finding["id"],
        "vulnerablePackages": [{key: value for key, value in package.items() if value}],
        "relatedVulnerabilities": finding["related"],
        "referenceUrls": [finding["uri"]],
        "source": "OSV",
        "sourceUrl": finding["uri"],
        "vendorSeverity": finding["severity"],
        "cvss": [],
    }
    if finding["vector"]:
        version = finding["vector"].partition("/")[0].removeprefix("CVSS:")
        score = {"baseScore": finding["score"], "scoringVector": finding["vector"], "source": "OSV"}
        details["cvss"] = [score | {"version": version}]
    container = {
        "registry": ctx.scope.account,
        "repositoryName": image["repositoryName"],
        "imageHash": image["imageDigest"],
        "imageTags": tags_of(ctx, image),
        "platform": scan["distribution"].upper().replace(" ", "_"),
        "pushedAt": image["imagePushedAt"],
    }
    arn = ctx.arn(f"repository/{image['repositoryName']}/{image['imageDigest']}")
    mend = f"Upgrade {finding['package']} to {finding['fixed']}." if finding["fixed"] else "None Provided"
    return {
        "awsAccountId": ctx.scope.account,
        "type": "PACKAGE_VULNERABILITY",
        "status": "ACTIVE",
        "title": f"{finding['id']} - {finding['package']}",
        "description": finding["description"],
        "severity": finding["severity"],
        "score": finding["score"],
        "firstObservedAt": scan["completedAt"],
        "lastObservedAt": scan["completedAt"],
        "updatedAt": scan["completedAt"],
        "fixAvailable": "YES" if finding["fixed"] else "NO",
        "packageVulnerabilityDetails": details,
        "remediation": {"recommendation": {"text": mend}},
        "resources": [
            {"type": "AWS_ECR_CONTAINER_IMAGE", "id": arn, "details": {"awsEcrContainerImage": container}}
        ],
    }
