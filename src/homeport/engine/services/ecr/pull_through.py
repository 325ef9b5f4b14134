"""Pull-through caches: repositories whose images come from another registry when they are first pulled.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
The manifest is answered at once; its layers come by a durable import, and a pull of a layer waits for that.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, NamedTuple

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import put_image
from homeport.engine.services.ecr.manifests import Manifest, parse_manifest
from homeport.engine.services.ecr.names import is_digest
from homeport.engine.services.ecr.storage import layer_files
from homeport.engine.services.ecr.tables import CACHE_RULES, IMAGES, IMPORTS, LAYERS, TAGS
from homeport.engine.services.ecr.templates import ROOT, ensure_repository
from homeport.engine.services.ecr.uploads import (
    append_to_upload,
    begin_upload,
    cancel_upload,
    complete_upload,
)
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
FRESH = 24 * 3600.0
"""Seconds for which a cached tag is not asked of the upstream registry again."""


class Source(NamedTuple):
    """Where the images of a cached repository come from."""

    rule: Body
    repository: str


def find_source(ctx: Context, repository: str) -> Source | None:
    """The upstream repository of a repository, by the rule with the longest prefix; None: it is no cache."""
    rules = [
        rule for rule in CACHE_RULES.list(ctx) if repository.startswith(_folder(rule["ecrRepositoryPrefix"]))
    ]
    if not rules:
        return None
    rule = max(rules, key=lambda each: len(_folder(each["ecrRepositoryPrefix"])))
    rest = repository.removeprefix(_folder(rule["ecrRepositoryPrefix"]))
    return Source(rule, _folder(rule.get("upstreamRepositoryPrefix", ROOT)) + rest)


def _folder(prefix: str) -> str:
    return "" if prefix == ROOT else prefix.rstrip("/") + "/"


def must_ask(ctx: Context, repository: str, reference: str) -> bool:
    """Whether a manifest has to be asked of the upstream registry."""
    if is_digest(reference):
        return IMAGES.get(ctx, repository, reference) is None
    tag = TAGS.get(ctx, repository, reference)
    return tag is None or ctx.now() - float(tag["taggedAt"]) > FRESH


async def import_manifest(ctx: Context, source: Source, repository: str, reference: str) -> Manifest:
    """Get the manifest from the upstream registry and have its layers come. Raises
    UnableToGetUpstreamImageException."""
    from homeport.engine.services.ecr.upstream import open_upstream

    credentials = await find_credentials(ctx, source.rule)
    async with open_upstream(ctx.engine.config, source.rule["upstreamRegistryUrl"], credentials) as upstream:
        data, media_type = await upstream.manifest(source.repository, reference)
    digest = reference if is_digest(reference) else None
    manifest = parse_manifest(data, media_type, digest)
    tags = [] if digest else [reference]
    with ctx.store.transaction():
        ensure_repository(ctx, repository, "PULL_THROUGH_CACHE")
        if manifest.is_index or IMAGES.get(ctx, repository, manifest.digest):
            put_image(ctx, repository, manifest, tags, sparse=True)
        else:
            _begin(ctx, repository, source, manifest, tags)
    return manifest


async def import_image(ctx: Context, repository: str, reference: str) -> None:
    """Have an image of a cache in the repository, layers and all, if it is one and not there yet. Raises
    UnableToGetUpstreamImageException."""
    source = find_source(ctx, repository)
    if source is None or not must_ask(ctx, repository, reference):
        return
    manifest = await import_manifest(ctx, source, repository, reference)
    with ctx.engine.signals.listen([_topic(repository)]) as heard:
        while IMPORTS.get(ctx, repository, manifest.digest):
            await heard.wait(5.0)


async def wait_for_layer(ctx: Context, repository: str, digest: str) -> None:
    """Return when the layer is there, or no import brings it."""
    with ctx.engine.signals.listen([_topic(repository)]) as heard:
        while LAYERS.get(ctx, repository, digest) is None:
            coming = [row for row in IMPORTS.list(ctx, repository) if digest in row["layers"]]
            if not coming:
                return
            await heard.wait(5.0)


def pending_manifest(ctx: Context, repository: str, digest: str) -> Manifest | None:
    """A manifest whose layers are still coming."""
    row = IMPORTS.get(ctx, repository, digest)
    return parse_manifest(row["text"].encode(), row["mediaType"], digest) if row else None


async def find_credentials(ctx: Context, rule: Body) -> Any:
    """The user and token in the rule's secret. Raises UnableToAccessSecretException."""
    from homeport.engine.services.ecr.upstream import Credentials

    arn = rule.get("credentialArn")
    if not arn:
        return None
    try:
        secret = await ctx.client("secretsmanager", as_service=True).get_secret_value(SecretId=arn)
        value = json.loads(secret["SecretString"])
        return Credentials(value["username"], value["accessToken"])
    except AwsError as error:
        raise AwsError(
            "UnableToAccessSecretException", f"The secret {arn} cannot be read: {error.message}"
        ) from None
    except (ValueError, KeyError):
        raise AwsError(
            "UnableToDecryptSecretValueException",
            f'The secret {arn} must be {{"username": "…", "accessToken": "…"}}',
        ) from None


def _begin(ctx: Context, repository: str, source: Source, manifest: Manifest, tags: list[str]) -> None:
    pending = IMPORTS.get(ctx, repository, manifest.digest)
    row = {
        "repositoryName": repository,
        "imageDigest": manifest.digest,
        "mediaType": manifest.media_type,
        "text": manifest.text,
        "layers": [blob.digest for blob in manifest.blobs],
        "tags": sorted({*tags, *(pending["tags"] if pending else [])}),
        "rule": source.rule,
        "upstream": source.repository,
    }
    IMPORTS.put(ctx, row)
    if pending is None:
        target = {"repositoryName": repository, "imageDigest": manifest.digest}
        ctx.start(IMPORT, str(uuid.uuid4()), target)


async def _run(execution: Execution) -> None:
    ctx, target = execution.ctx, execution.input
    repository, digest = target["repositoryName"], target["imageDigest"]
    row = IMPORTS.get(ctx, repository, digest)
    if row is None:
        return
    await execution.together(*(_layer(execution, row, layer) for layer in dict.fromkeys(row["layers"])))

    def finish() -> None:
        done = IMPORTS.get(ctx, repository, digest) or row
        manifest = parse_manifest(done["text"].encode(), done["mediaType"], digest)
        put_image(ctx, repository, manifest, done["tags"])
        IMPORTS.delete(ctx, repository, digest)
        ctx.notify(_topic(repository))
        _tell(ctx, done, "SUCCESS")

    await execution.record("finish", finish)


async def _failed(execution: Execution, error: Exception) -> None:
    ctx, target = execution.ctx, execution.input
    row = IMPORTS.get(ctx, target["repositoryName"], target["imageDigest"])
    if row:
        IMPORTS.delete(ctx, target["repositoryName"], target["imageDigest"])
        ctx.notify(_topic(target["repositoryName"]))
        _tell(ctx, row, "FAILURE")


IMPORT = ExecutionKind("ecr.import", _run, _failed)


async def _layer(execution: Execution, row: Body, digest: str) -> None:
    from homeport.engine.services.ecr.upstream import open_upstream

    ctx, repository, files = execution.ctx, row["repositoryName"], layer_files(execution.ctx.engine)

    async def fetch() -> None:
        if LAYERS.get(ctx, repository, digest):
            return
        credentials = await find_credentials(ctx, row["rule"])
        host = row["rule"]["upstreamRegistryUrl"]
        upload_id = begin_upload(ctx, files, repository)
        try:
            async with open_upstream(ctx.engine.config, host, credentials) as upstream:
                chunks = upstream.blob(row["upstream"], digest)
                await append_to_upload(ctx, files, repository, upload_id, chunks)
            await complete_upload(ctx, files, repository, upload_id, digest)
        except BaseException:
            cancel_upload(ctx, files, repository, upload_id)
            raise

    await execution.step(f"layer {digest}", fetch, lambda _: ctx.notify(_topic(repository)))


def _topic(repository: str) -> str:
    return f"ecr.import:{repository}"


def _tell(ctx: Context, row: Body, status: str) -> None:
    """Send the event "ECR Pull Through Cache Action"."""
    for tag in row["tags"] or [""]:
        detail = {
            "sync-status": status,
            "ecr-repository-prefix": row["rule"]["ecrRepositoryPrefix"],
            "repository-name": row["repositoryName"],
            "upstream-registry-url": row["rule"]["upstreamRegistryUrl"],
            "image-tag": tag,
            "image-digest": row["imageDigest"],
        }
        arn = ctx.arn(f"repository/{row['repositoryName']}", service="ecr")
        ctx.emit("aws.ecr", "ECR Pull Through Cache Action", detail, [arn])
