"""What builds keep for later ones: a volume of their own for each kind of local cache, an archive in S3.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html
"""

from __future__ import annotations

import hashlib
import posixpath
import re

from homeport.engine.services.codebuild.buildspec import Buildspec
from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, Row
from homeport.engine.services.context import Context


def volumes(ctx: Context, build: Row, spec: Buildspec, directory: str) -> list[str]:
    """The volumes of the local cache, as Docker mounts them. Only one build of a project at a time has them: a
    second one runs without a cache."""
    cache = build["cache"]
    if cache["type"] != "LOCAL" or _is_taken(ctx, build):
        return []
    mounted = []
    if "LOCAL_DOCKER_LAYER_CACHE" in cache["modes"] and build["environment"]["privilegedMode"]:
        mounted.append(f"{_volume(ctx, build, 'docker')}:/var/lib/docker")
    if "LOCAL_CUSTOM_CACHE" in cache["modes"]:
        for path in spec.cache.paths:
            folder = posixpath.normpath(posixpath.join(directory, re.sub(r"/?\*.*$", "", path)))
            mounted.append(f"{_volume(ctx, build, folder)}:{folder}")
    if mounted and (row := BUILDS.get(ctx, build["id"])):
        # no await since the question, so that two builds never get the same volume
        BUILDS.put(ctx, row | {"_localCache": True})
    return mounted


def _is_taken(ctx: Context, build: Row) -> bool:
    others = BUILDS.list(ctx, projectName=build["projectName"], buildStatus=IN_PROGRESS)
    return any(row.get("_localCache") for row in others if row["id"] != build["id"])


def _volume(ctx: Context, build: Row, what: str) -> str:
    word = f"{ctx.scope}/{build['projectName']}/{build['_cacheGeneration']}/{what}"
    return f"{ctx.engine.docker.name('cache')}-{hashlib.sha256(word.encode()).hexdigest()[:16]}"
