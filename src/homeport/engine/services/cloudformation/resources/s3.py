"""S3's types: AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeport.engine.services.cloudformation.resources import s3_shapes as shapes
from homeport.engine.services.cloudformation.resources.calls import Call, send
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put
from homeport.engine.services.cloudformation.resources.provider import Request

_BUCKET = {"Bucket": "id"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a bucket: a property, the operation and member that take it in S3's shape, and the operation
    that takes it away."""

    property: str
    operation: str
    member: str
    shape: Callable[[Any], Any]
    unset: str = ""

    def named(self) -> tuple[str, ...]:
        return (self.property,)

    async def created(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if self.property in request.properties:
            await self._put(request, names)

    def own(self, changed: set[str]) -> set[str]:
        return changed & {self.property}

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if self.property in request.properties:
            await self._put(request, names)
        elif self.unset:
            await send(request, "s3", Call(self.unset, _BUCKET, only=True), names)
        else:
            await self._put(request, names, _OFF.get(self.property, {}))

    async def deleting(self, request: Request, service: str, names: dict[str, Any]) -> None:
        return None

    async def _put(self, request: Request, names: dict[str, Any], value: Any = None) -> None:
        value = request.properties[self.property] if value is None else value
        call = Call(self.operation, {**_BUCKET, self.member: "value"}, only=True)
        await send(request, "s3", call, {**names, "value": self.shape(value)})


_OFF = {"VersioningConfiguration": {"Status": "Suspended"}}


TYPES = (
    Type(
        "AWS::S3::Bucket",
        "s3",
        named="BucketName",
        lower=True,
        create=Call(
            "create_bucket",
            {
                "Bucket": "name",
                "CreateBucketConfiguration": "region != 'us-east-1' && {LocationConstraint: region} || `null`",
                "ObjectLockEnabledForBucket": "properties.ObjectLockEnabled",
                "ObjectOwnership": "properties.OwnershipControls.Rules[0].ObjectOwnership",
            },
            only=True,
        ),
        id="name",
        present=Call("head_bucket", {"Bucket": "name"}, only=True),
        attributes={
            "Arn": "join('', ['arn:aws:s3:::', id])",
            "DomainName": "join('', [id, '.s3.amazonaws.com'])",
            "RegionalDomainName": "join('', [id, '.s3.', region, '.amazonaws.com'])",
            "DualStackDomainName": "join('', [id, '.s3.dualstack.', region, '.amazonaws.com'])",
            "WebsiteURL": "join('', ['http://', id, '.s3-website-', region, '.amazonaws.com'])",
        },
        parts=(
            Setting(
                "VersioningConfiguration", "put_bucket_versioning", "VersioningConfiguration", shapes.same
            ),
            Setting(
                "BucketEncryption",
                "put_bucket_encryption",
                "ServerSideEncryptionConfiguration",
                shapes.encryption,
                "delete_bucket_encryption",
            ),
            Setting(
                "PublicAccessBlockConfiguration",
                "put_public_access_block",
                "PublicAccessBlockConfiguration",
                shapes.same,
                "delete_public_access_block",
            ),
            Setting(
                "OwnershipControls",
                "put_bucket_ownership_controls",
                "OwnershipControls",
                shapes.same,
                "delete_bucket_ownership_controls",
            ),
            Setting(
                "LifecycleConfiguration",
                "put_bucket_lifecycle_configuration",
                "LifecycleConfiguration",
                shapes.lifecycle,
                "delete_bucket_lifecycle",
            ),
            Setting(
                "NotificationConfiguration",
                "put_bucket_notification_configuration",
                "NotificationConfiguration",
                shapes.notifications,
            ),
            Setting(
                "CorsConfiguration", "put_bucket_cors", "CORSConfiguration", shapes.cors, "delete_bucket_cors"
            ),
            Setting("LoggingConfiguration", "put_bucket_logging", "BucketLoggingStatus", shapes.logging),
            Setting("Tags", "put_bucket_tagging", "Tagging", shapes.tagging, "delete_bucket_tagging"),
        ),
        delete=Call("delete_bucket", _BUCKET, only=True),
    ),
    Type(
        "AWS::S3::BucketPolicy",
        "s3",
        create=Call("put_bucket_policy", {"Policy": "properties.PolicyDocument"}),
        id="properties.Bucket",
        present=Call("get_bucket_policy"),
        parts=(Put(Call("put_bucket_policy", {"Policy": "properties.PolicyDocument"}), at_creation=False),),
        delete=Call("delete_bucket_policy", _BUCKET, only=True),
    ),
)
