"""The collector: takes away layers that no image needs, there or on its way from an upstream registry, uploads that
nobody goes on with, files without rows, SBOMs of images that are gone.

A layer that no image refers to stays for an hour, the time of the push that it may belong to. Files need no such
grace: one without a row that is not just being adopted is the trace of a kill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.ecr.files import LayerFiles
from homeport.engine.services.ecr.scans import SBOMS
from homeport.engine.services.ecr.storage import layer_files
from homeport.engine.services.ecr.tables import IMAGES, IMPORTS, LAYERS, REPOSITORIES
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope

EVERY = 900.0
LAYER_GRACE = 3600.0
UPLOAD_LIFETIME = 24 * 3600.0
NAME = "ecr.collector"


async def _collect(ctx: Context, key: str) -> float:
    files = layer_files(ctx.engine)
    for scope, repository in REPOSITORIES.everywhere(ctx.store):
        _unlink_layers(ctx.within(scope), repository["repositoryName"])
        await asyncio.sleep(0)
    _end_uploads(ctx, files)
    await _sweep_files(ctx, files)
    _sweep_sboms(ctx)
    return EVERY


def _unlink_layers(ctx: Context, repository: str) -> None:
    needed = {
        digest for image in IMAGES.list(ctx, repository) for digest in image["layers"] + image["children"]
    }
    needed |= {digest for coming in IMPORTS.list(ctx, repository) for digest in coming["layers"]}
    with ctx.store.transaction():
        for layer in LAYERS.list(ctx, repository):
            idle = ctx.now() - layer["linkedAt"] > LAYER_GRACE
            if idle and layer["layerDigest"] not in needed:
                LAYERS.delete(ctx, repository, layer["layerDigest"])


def _end_uploads(ctx: Context, files: LayerFiles) -> None:
    for upload, changed in files.uploads():
        if ctx.now() - changed > UPLOAD_LIFETIME:
            files.abandon(upload)


async def _sweep_files(ctx: Context, files: LayerFiles) -> None:
    for number, (content, _) in enumerate(list(files.contents())):
        if content not in files.adopting and not ctx.store.execute(
            "SELECT 1 FROM ecr_layers WHERE content = ? LIMIT 1", content
        ):
            files.blobs.remove(content)
        if number % 100 == 99:
            await asyncio.sleep(0)


def _sweep_sboms(ctx: Context) -> None:
    digests = {image["imageDigest"].replace(":", "-") for _, image in IMAGES.everywhere(ctx.store)}
    for file in ctx.engine.folder(SBOMS).glob("*.cdx.json"):
        if file.name.removesuffix(".cdx.json") not in digests:
            file.unlink()


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    return [(Scope(engine.account, engine.region), "files")]


COLLECTOR = Reconciler(NAME, _keys, _collect)
