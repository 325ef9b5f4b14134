"""Amazon S3: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.s3 import (
    attributes,
    buckets,
    copies,
    cors,
    expiry,
    listing,
    notifications,
    objects,
    references,
    settings,
    tags,
    uploads,
)
from homeport.engine.services.service import Service

SERVICE = Service(
    "s3",
    modules=(buckets, objects, listing, uploads, copies, settings, tags, attributes, expiry),
    executions=(notifications.DELIVERY,),
    reconcilers=(expiry.EXPIRY,),
    start=references.sweep,
    resource_policy=settings.resource_policy,
    cross_origin=cors.cross_origin,
)
