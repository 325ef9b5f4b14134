"""S3's settings as templates write them, turned to what S3's operations take.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


def encryption(value: Body) -> Body:
    """BucketEncryption as ServerSideEncryptionConfiguration."""
    rules = value.get("ServerSideEncryptionConfiguration", [])
    return {
        "Rules": [
            _present(
                ApplyServerSideEncryptionByDefault=rule.get("ServerSideEncryptionByDefault"),
                BucketKeyEnabled=rule.get("BucketKeyEnabled"),
            )
            for rule in rules
        ]
    }


def lifecycle(value: Body) -> Body:
    """LifecycleConfiguration."""
    return {"Rules": [_lifecycle_rule(rule) for rule in value.get("Rules", [])]}


def notifications(value: Body) -> Body:
    """NotificationConfiguration."""
    made: Body = {}
    for kind, target, member in (
        ("LambdaConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "Topic", "TopicArn"),
    ):
        for item in value.get(kind, []):
            entry = {member: item[target], "Events": [item["Event"]]}
            if "Filter" in item:
                rules = item["Filter"].get("S3Key", {}).get("Rules", [])
                entry["Filter"] = {"Key": {"FilterRules": rules}}
            made.setdefault("LambdaFunctionConfigurations" if member.startswith("L") else kind, []).append(
                entry
            )
    if value.get("EventBridgeConfiguration", {}).get(
        "EventBridgeEnabled", "EventBridgeConfiguration" in value
    ):
        made["EventBridgeConfiguration"] = {}
    return made


def cors(value: Body) -> Body:
    """CorsConfiguration."""
    return {
        "CORSRules": [
            _present(
                ID=rule.get("Id"),
                AllowedHeaders=rule.get("AllowedHeaders"),
                AllowedMethods=rule.get("AllowedMethods"),
                AllowedOrigins=rule.get("AllowedOrigins"),
                ExposeHeaders=rule.get("ExposedHeaders"),
                MaxAgeSeconds=rule.get("MaxAge"),
            )
            for rule in value.get("CorsRules", [])
        ]
    }


def logging(value: Body) -> Body:
    """LoggingConfiguration as BucketLoggingStatus."""
    if "DestinationBucketName" not in value:
        return {}
    prefix = value.get("LogFilePrefix", "")
    return {"LoggingEnabled": {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": prefix}}


def tagging(value: list[Body]) -> Body:
    """Tags as Tagging."""
    return {"TagSet": value}


def same(value: Any) -> Any:
    """A setting that both write alike."""
    return value


def _lifecycle_rule(rule: Body) -> Body:
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    transitions = [*rule.get("Transitions", []), *([rule["Transition"]] if "Transition" in rule else [])]
    older = rule.get("NoncurrentVersionTransitions", [])
    if "NoncurrentVersionTransition" in rule:
        older = [*older, rule["NoncurrentVersionTransition"]]
    return _present(
        ID=rule.get("Id"),
        Status=rule["Status"],
        Filter=_filter(rule),
        Expiration=_present(
            Days=rule.get("ExpirationInDays"),
            Date=rule.get("ExpirationDate"),
            ExpiredObjectDeleteMarker=rule.get("ExpiredObjectDeleteMarker"),
        )
        or None,
        NoncurrentVersionExpiration=noncurrent,
        Transitions=[
            _present(
                Days=item.get("TransitionInDays"),
                Date=item.get("TransitionDate"),
                StorageClass=item["StorageClass"],
            )
            for item in transitions
        ]
        or None,
        NoncurrentVersionTransitions=[
            _present(
                NoncurrentDays=item["TransitionInDays"],
                StorageClass=item["StorageClass"],
                NewerNoncurrentVersions=item.get("NewerNoncurrentVersions"),
            )
            for item in older
        ]
        or None,
        AbortIncompleteMultipartUpload=rule.get("AbortIncompleteMultipartUpload"),
    )


def _filter(rule: Body) -> Body:
    parts = _present(
        Prefix=rule.get("Prefix"),
        ObjectSizeGreaterThan=_integer(rule.get("ObjectSizeGreaterThan")),
        ObjectSizeLessThan=_integer(rule.get("ObjectSizeLessThan")),
    )
    tags = rule.get("TagFilters", [])
    if not parts and not tags:
        return {"Prefix": ""}
    if len(parts) + len(tags) == 1:
        return parts or {"Tag": tags[0]}
    return {"And": {**parts, **({"Tags": tags} if tags else {})}}


def _integer(value: Any) -> int | None:
    return None if value is None else int(value)


def _present(**members: Any) -> Body:
    return {name: value for name, value in members.items() if value is not None}
