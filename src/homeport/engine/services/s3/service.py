"""Amazon S3: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.s3 import (
    absent,
    attributes,
    buckets,
    copies,
    cors,
    expiry,
    listing,
    notifications,
    objects,
    policies,
    public_access,
    references,
    settings,
    tags,
    uploads,
)
from homeport.engine.services.s3.control import public_access as account_public_access
from homeport.engine.services.s3.control import tags as tags_by_arn
from homeport.engine.services.service import Service

SERVICE = Service(
    "s3",
    modules=(
        *(buckets, objects, listing, uploads, copies, tags, attributes, expiry),
        *(settings, policies, public_access, absent),
    ),
    executions=(notifications.DELIVERY,),
    reconcilers=(expiry.EXPIRY,),
    start=references.sweep,
    resource_policy=policies.resource_policy,
    cross_origin=cors.cross_origin,
)

CONTROL = Service("s3control", modules=(account_public_access, tags_by_arn))
