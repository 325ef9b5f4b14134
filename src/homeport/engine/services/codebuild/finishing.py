"""The way of a build from its last command to its end: artifacts, reports, exported variables, the log in S3."""

from __future__ import annotations

import posixpath
from typing import Any

from homeport.engine.services.codebuild import artifacts, container, report_files, s3_cache
from homeport.engine.services.codebuild.buildspec import Artifacts, Buildspec, parse
from homeport.engine.services.codebuild.collect import collect
from homeport.engine.services.codebuild.container import TMP
from homeport.engine.services.codebuild.phases import uploads_artifacts
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context


async def upload(ctx: Context, build: Row, prepared: Row, ran: dict[str, bool]) -> Row:
    """Upload artifacts and reports, and read the exported variables. Raises PhaseFailed."""
    spec = parse(prepared["buildspec"])
    workspace = Workspace(ctx, build["id"])
    output: Row = {"lines": [], "artifacts": None, "secondary": [], "reports": [], "failure": None}
    output["exported"] = await _exported(ctx, build, spec, prepared, workspace)
    output["reports"], said = await report_files.store(
        ctx, build, spec, prepared["directories"][""], workspace
    )
    output["lines"] += said
    if uploads_artifacts(ran):
        try:
            await _upload_all(ctx, build, spec, prepared, workspace, output)
        except PhaseFailed as error:
            output["failure"] = [error.code, error.message]
    if all(ran.values()):
        directory = prepared["directories"][""]
        said_of_cache = await s3_cache.save(ctx, build, spec, directory, prepared["cacheKey"], workspace)
        output["lines"] += [said_of_cache] if said_of_cache else []
    return output


async def _upload_all(
    ctx: Context, build: Row, spec: Buildspec, prepared: Row, workspace: Workspace, output: Row
) -> None:
    names = await _names(ctx, build, spec, workspace)
    primary = build["_artifacts"]
    if spec.artifacts and primary["type"] != "NO_ARTIFACTS":
        described, said = await artifacts.upload(
            *(ctx, build, primary, spec.artifacts, names.get(spec.artifacts.name, "")),
            prepared["directories"][""],
            workspace.artifacts("primary"),
        )
        output["lines"] += said
        output["artifacts"] = described
    for target in build["_secondaryArtifacts"]:
        identifier = target["artifactIdentifier"]
        own = spec.secondary_artifacts.get(identifier)
        if own is None:
            raise PhaseFailed(
                "CLIENT_ERROR", f"no artifact definition found for identifier {identifier} in the buildspec"
            )
        described, said = await artifacts.upload(
            *(ctx, build, target, own, names.get(own.name, "")),
            prepared["directories"][""],
            workspace.artifacts(f"secondary-{identifier}"),
        )
        output["lines"] += said
        output["secondary"].append(described)


async def _exported(
    ctx: Context, build: Row, spec: Buildspec, prepared: Row, workspace: Workspace
) -> list[dict[str, Any]]:
    wanted = [name for name in spec.env.exported_variables if name not in prepared["secret"]]
    found = await _texts(ctx, build, "exported", workspace) if wanted else {}
    return [{"name": name, "value": found[name]} for name in wanted if name in found]


async def _names(ctx: Context, build: Row, spec: Buildspec, workspace: Workspace) -> dict[str, str]:
    """The artifacts' names, as the build's shell understood them."""
    given = [each.name for each in _all(spec) if each.name]
    found = await _texts(ctx, build, "names", workspace) if given else {}
    return {name: found.get(str(number), name) for number, name in enumerate(given)}


def _all(spec: Buildspec) -> list[Artifacts]:
    return [each for each in (spec.artifacts, *spec.secondary_artifacts.values()) if each]


async def _texts(ctx: Context, build: Row, folder: str, workspace: Workspace) -> dict[str, str]:
    """Small files that the agent has left, by their names."""
    docker = ctx.engine.docker
    own = container.name(docker, build["id"])
    picked = await collect(docker, own, posixpath.join(TMP, folder), ["*"], workspace.artifacts(folder))
    return {each.path: each.file.read_text(errors="replace") for each in picked or ()}
