"""Replication: what is pushed here is copied to other regions and registries of the engine.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
A copy is rows alone, since all registries share their files. What was copied is not copied further.
"""

from __future__ import annotations

import json
import uuid
from fnmatch import fnmatchcase
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import delete_image, manifest_text, put_image, tags_of
from homeport.engine.services.ecr.layers import link_layer
from homeport.engine.services.ecr.manifests import parse_manifest
from homeport.engine.services.ecr.settings import read_setting
from homeport.engine.services.ecr.tables import IMAGES, LAYERS, REPLICATIONS, TAGS
from homeport.engine.services.ecr.templates import ensure_repository
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
REPLICATION = "replication-configuration"


def replicate_push(ctx: Context, image: Body, tags: list[str]) -> None:
    """Have the pushed image copied; call it in the transaction of the push."""
    for destination in _destinations(ctx, image["repositoryName"]):
        _put_status(ctx, image, destination, "IN_PROGRESS")
        ctx.start(REPLICATE, str(uuid.uuid4()), _input("PUSH", image, tags, destination))


def replicate_delete(ctx: Context, image: Body, tags: list[str], whole: bool) -> None:
    """Have a deletion repeated where the rules say so: of the image, or of these tags alone."""
    for destination in _destinations(ctx, image["repositoryName"], deletes=True):
        action = "DELETE" if whole else "UNTAG"
        ctx.start(REPLICATE, str(uuid.uuid4()), _input(action, image, tags, destination))


def _destinations(ctx: Context, repository: str, deletes: bool = False) -> list[Body]:
    configuration = read_setting(ctx, REPLICATION).get("replicationConfiguration") or {"rules": []}
    found: list[Body] = []
    for rule in configuration["rules"]:
        filters = rule.get("repositoryFilters")
        wanted = not filters or any(repository.startswith(each["filter"]) for each in filters)
        if wanted and (not deletes or (rule.get("deleteReplication") or {}).get("enabled")):
            found.extend(each for each in rule["destinations"] if each not in found)
    return found


def _input(action: str, image: Body, tags: list[str], destination: Body) -> Body:
    names = {"repositoryName": image["repositoryName"], "imageDigest": image["imageDigest"]}
    return {"action": action, "tags": tags, "destination": destination, **names}


def _put_status(ctx: Context, image: Body, destination: Body, status: str, code: str | None = None) -> None:
    row = {
        "repositoryName": image["repositoryName"],
        "imageDigest": image["imageDigest"],
        "registryId": destination["registryId"],
        "destination": destination["region"],
        "status": status,
        "failureCode": code,
    }
    REPLICATIONS.put(ctx, row)


async def _run(execution: Execution) -> None:
    ctx, task = execution.ctx, execution.input
    destination = task["destination"]
    there = ctx.within(Scope(destination["registryId"], destination["region"]))

    def copy() -> None:
        if task["action"] != "PUSH":
            _repeat_deletion(there, task)
            return
        image = IMAGES.get(ctx, task["repositoryName"], task["imageDigest"])
        if image is None:
            return
        _check_allowed(ctx, there, task["repositoryName"])
        ensure_repository(there, task["repositoryName"], "REPLICATION")
        _copy(ctx, there, image, task["tags"])
        _put_status(ctx, image, destination, "COMPLETE")
        _tell(ctx, there, task)

    await execution.record("copy", copy)


async def _failed(execution: Execution, error: Exception) -> None:
    ctx, task = execution.ctx, execution.input
    if image := IMAGES.get(ctx, task["repositoryName"], task["imageDigest"]):
        code = error.code if isinstance(error, AwsError) else type(error).__name__
        _put_status(ctx, image, task["destination"], "FAILED", code)


REPLICATE = ExecutionKind("ecr.replicate", _run, _failed)


def _copy(ctx: Context, there: Context, image: Body, tags: list[str]) -> None:
    """Copy the image, those it lists first."""
    name = image["repositoryName"]
    for digest in image["children"]:
        if child := IMAGES.get(ctx, name, digest):
            _copy(ctx, there, child, [])
    for digest in [*image["layers"], *image["children"]]:
        layer = LAYERS.get(ctx, name, digest)
        if layer and LAYERS.get(there, name, digest) is None:
            link_layer(there, name, digest, layer["content"], layer["layerSize"])
    text = manifest_text(ctx, image).encode()
    manifest = parse_manifest(text, image["imageManifestMediaType"], image["imageDigest"])
    put_image(there, name, manifest, tags)


def _repeat_deletion(there: Context, task: Body) -> None:
    image = IMAGES.get(there, task["repositoryName"], task["imageDigest"])
    if image is None:
        return
    if task["action"] == "DELETE":
        delete_image(there, image)
        return
    for tag in set(task["tags"]) & set(tags_of(there, image)):
        TAGS.delete(there, task["repositoryName"], tag)


def _check_allowed(ctx: Context, there: Context, repository: str) -> None:
    """Another account's registry policy must let this registry replicate to it."""
    if there.scope.account == ctx.scope.account:
        return
    text = read_setting(there, "registry-policy").get("policyText")
    statements = json.loads(text)["Statement"] if text else []
    resource = there.arn(f"repository/{repository}", service="ecr")
    for statement in statements if isinstance(statements, list) else [statements]:
        principals = (statement.get("Principal") or {}) if statement.get("Principal") != "*" else {"AWS": "*"}
        named = _listed(principals.get("AWS"))
        account = ctx.scope.account
        trusted = {"*", account, f"arn:aws:iam::{account}:root"} & set(named)
        acts = any(
            fnmatchcase("ecr:replicateimage", each.lower()) for each in _listed(statement.get("Action"))
        )
        here = any(fnmatchcase(resource, each) for each in _listed(statement.get("Resource", "*")))
        if statement["Effect"] == "Allow" and trusted and acts and here:
            return
    raise AwsError(
        "AccessDeniedException", f"The registry policy of {there.scope.account} does not let this be"
    )


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _tell(ctx: Context, there: Context, task: Body) -> None:
    """Send the event "ECR Replication Action", and the push's own, where the copy is."""
    for tag in task["tags"] or [""]:
        detail = {
            "result": "SUCCESS",
            "repository-name": task["repositoryName"],
            "image-digest": task["imageDigest"],
            "source-account": ctx.scope.account,
            "action-type": "REPLICATE",
            "source-region": ctx.scope.region,
            "image-tag": tag,
        }
        arn = there.arn(f"repository/{task['repositoryName']}", service="ecr")
        there.emit("aws.ecr", "ECR Replication Action", detail, [arn])
