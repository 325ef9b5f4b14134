"""The types of KMS, DynamoDB and Certificate Manager."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Noted, Put, Switch, Tags

_KEY = {"KeyId": "id"}
_TABLE = {"TableName": "id"}
_STREAM = "properties.StreamSpecification && merge(properties.StreamSpecification, {StreamEnabled: `true`}) || `null`"
_ENCRYPTION = (
    "properties.SSESpecification && merge(properties.SSESpecification, "
    "{Enabled: properties.SSESpecification.SSEEnabled}) || `null`"
)

TYPES = (
    Type(
        "AWS::KMS::Key",
        "kms",
        create=Call(
            "create_key",
            {"Policy": "properties.KeyPolicy", "Tags": "properties.Tags[].{TagKey: Key, TagValue: Value}"},
            once=True,
        ),
        id="response.KeyMetadata.KeyId",
        read=Call("describe_key", _KEY, only=True),
        found="KeyMetadata",
        attributes={"KeyId": "id"},
        parts=(
            Switch(
                "EnableKeyRotation",
                Call(
                    "enable_key_rotation", {**_KEY, "RotationPeriodInDays": "properties.RotationPeriodInDays"}
                ),
                Call("disable_key_rotation", _KEY, only=True),
            ),
            Switch(
                "Enabled",
                Call("enable_key", _KEY, only=True),
                Call("disable_key", _KEY, only=True),
                default=True,
            ),
            Put(
                Call("put_key_policy", {**_KEY, "PolicyName": "'default'", "Policy": "properties.KeyPolicy"}),
                ("KeyPolicy",),
                at_creation=False,
            ),
            Put(
                Call("update_key_description", {**_KEY, "Description": "properties.Description || ''"}),
                ("Description",),
                at_creation=False,
            ),
            Tags(
                Call("tag_resource", {**_KEY, "Tags": "added[].{TagKey: Key, TagValue: Value}"}, only=True),
                Call("untag_resource", {**_KEY, "TagKeys": "removed"}, only=True),
            ),
            Noted(("PendingWindowInDays", "BypassPolicyLockoutSafetyCheck")),
        ),
        delete=Call(
            "schedule_key_deletion",
            {**_KEY, "PendingWindowInDays": "properties.PendingWindowInDays || `30`"},
            only=True,
        ),
    ),
    Type(
        "AWS::KMS::Alias",
        "kms",
        create=Call("create_alias", once=True),
        id="properties.AliasName",
        parts=(Put(Call("update_alias", {"AliasName": "id"}), at_creation=False),),
        delete=Call("delete_alias", {"AliasName": "id"}, only=True),
    ),
    Type(
        "AWS::DynamoDB::Table",
        "dynamodb",
        named="TableName",
        limit=255,
        create=Call("create_table", {"StreamSpecification": _STREAM, "SSESpecification": _ENCRYPTION}),
        id="name",
        read=Call("describe_table", _TABLE, only=True),
        found="Table",
        attributes={"Arn": "read.TableArn", "StreamArn": "read.LatestStreamArn"},
        ready="TableStatus == 'ACTIVE'",
        parts=(
            Put(Call("update_time_to_live", _TABLE), ("TimeToLiveSpecification",)),
            Put(Call("update_continuous_backups", _TABLE), ("PointInTimeRecoverySpecification",)),
            Tags(
                Call("tag_resource", {"ResourceArn": "attributes.Arn", "Tags": "added"}, only=True),
                Call("untag_resource", {"ResourceArn": "attributes.Arn", "TagKeys": "removed"}, only=True),
            ),
            Put(
                Call(
                    "update_table",
                    {**_TABLE, "StreamSpecification": _STREAM, "SSESpecification": _ENCRYPTION},
                ),
                at_creation=False,
            ),
        ),
        delete=Call("delete_table", _TABLE, only=True),
    ),
    Type(
        "AWS::CertificateManager::Certificate",
        "acm",
        create=Call("request_certificate", {"IdempotencyToken": "token"}),
        id="response.CertificateArn",
        parts=(
            Tags(
                Call("add_tags_to_certificate", {"CertificateArn": "id", "Tags": "added"}, only=True),
                Call(
                    "remove_tags_from_certificate",
                    {"CertificateArn": "id", "Tags": "removed[].{Key: @}"},
                    only=True,
                ),
            ),
        ),
        delete=Call("delete_certificate", {"CertificateArn": "id"}, only=True),
    ),
)
