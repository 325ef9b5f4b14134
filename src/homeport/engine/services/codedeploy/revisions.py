"""Application revisions: the AppSpec files that were deployed, inline or in S3.
https://docs.aws.amazon.com/codedeploy/latest/userguide/application-revisions.html"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from homeport.engine.services.codedeploy import appspec
from homeport.engine.services.codedeploy.tables import REVISIONS
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_INLINE = {"AppSpecContent": "appSpecContent", "String": "string"}


def checked(revision: Body | None) -> Body:
    """A revision that an ECS deployment can have. Raises RevisionRequiredException, InvalidRevisionException."""
    if not revision:
        raise AwsError("RevisionRequiredException", "Revision is missing: give appSpecContent or s3Location.")
    type = revision.get("revisionType")
    if type in _INLINE:
        inline = revision.get(_INLINE[type]) or {}
        if not inline.get("content"):
            raise AwsError(
                "InvalidRevisionException", f"A revision of type {type} must have {_INLINE[type]} content."
            )
        digest = hashlib.sha256(inline["content"].encode()).hexdigest()
        if inline.get("sha256") and inline["sha256"] != digest:
            raise AwsError(
                "InvalidRevisionException",
                f"The sha256 of the revision's content is {digest}, not {inline['sha256']}.",
            )
        appspec.parse(inline["content"])
        return {"revisionType": type, _INLINE[type]: {**inline, "sha256": digest}}
    if type == "S3":
        location = revision.get("s3Location") or {}
        if not location.get("bucket") or not location.get("key"):
            raise AwsError("InvalidRevisionException", "A revision in S3 must have a bucket and a key.")
        if location.get("bundleType") not in ("YAML", "JSON"):
            raise AwsError(
                "InvalidRevisionException",
                "For ECS deployments, the bundleType of a revision in S3 must be YAML or JSON.",
            )
        return revision
    raise AwsError(
        "InvalidRevisionException",
        "For ECS deployments, the revisionType must be S3, String or AppSpecContent.",
    )


def inline(revision: Body) -> str | None:
    """The AppSpec file of a revision that carries it; None when it lies in S3."""
    member = _INLINE.get(revision["revisionType"])
    return str(revision[member]["content"]) if member else None


def register(ctx: Context, application: str, revision: Body, **members: Any) -> None:
    """Remember a revision; `members` are those of GenericRevisionInfo that change."""
    digest = digest_of(revision)
    known = REVISIONS.get(ctx, application, digest) or {
        "applicationName": application,
        "digest": digest,
        "revision": revision,
        "info": {"registerTime": ctx.now(), "deploymentGroups": []},
    }
    known["info"] |= members
    REVISIONS.put(ctx, known)


def used(ctx: Context, application: str, group: str, revision: Body) -> None:
    """Remember that a group's deployment has the revision."""
    register(ctx, application, revision)
    row = REVISIONS.get(ctx, application, digest_of(revision))
    assert row is not None
    info = row["info"]
    info.setdefault("firstUsedTime", ctx.now())
    info["lastUsedTime"] = ctx.now()
    info["deploymentGroups"] = sorted({*info["deploymentGroups"], group})
    REVISIONS.put(ctx, row)


def digest_of(revision: Body) -> str:
    """What tells revisions of an application apart."""
    return hashlib.sha256(json.dumps(revision, sort_keys=True).encode()).hexdigest()
