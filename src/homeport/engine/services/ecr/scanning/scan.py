"""A scan: an image's packages, listed and matched, in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from homeport.engine.services.ecr.scanning.advisories import Advisories
from homeport.engine.services.ecr.scanning.filesystem import Contents, read_image
from homeport.engine.services.ecr.scanning.finding import SEVERITIES, Finding, finding
from homeport.engine.services.ecr.scanning.matching import Distribution, known_as, match, parse_os_release
from homeport.engine.services.ecr.scanning.package import OS_KINDS, Package
from homeport.engine.services.ecr.scanning.sbom import make_sbom


class Result(NamedTuple):
    """What a scan found. `updated_at` is how old the advisories are; None: there is no database, so that nothing
    can be said of the packages. `unsupported` tells why the image's own packages could not be looked at, `unknown`
    names the ecosystems of packages for which the database has no advisories."""

    sbom: str
    packages: int
    distribution: str
    findings: list[Finding]
    updated_at: float | None
    unsupported: str
    unknown: tuple[str, ...]


def scan(layers: Iterable[Path], repository: str, digest: str, advisories: Path) -> Result:
    """Scan the image of these layers, lowest first. Raises UnreadableLayer."""
    contents = read_image(layers)
    distribution = parse_os_release(contents.os_release)
    packages = sorted(set(contents.packages))
    sbom = make_sbom(repository, digest, distribution.id, packages)
    database = Advisories(advisories)
    try:
        findings = _match(database, packages, distribution)
        ecosystems = {known[0] for package in packages if (known := known_as(package, distribution))}
        unknown = tuple(sorted(name for name in ecosystems if not database.know(name)))
    finally:
        database.close()
    name = f"{distribution.id} {distribution.version}".strip()
    updated_at = None if database.empty else database.updated_at
    unsupported = _unsupported(contents, distribution)
    return Result(sbom, len(packages), name, findings, updated_at, unsupported, unknown)


def _unsupported(contents: Contents, distribution: Distribution) -> str:
    """Why the scan says nothing of the operating system's packages; empty when it does, or there are none."""
    if contents.unread:
        return "; ".join(contents.unread)
    own = sum(package.kind in OS_KINDS for package in contents.packages)
    if own and distribution.ecosystem is None:
        name = f"{distribution.id} {distribution.version}".strip() or "without an os-release file"
        return (
            f"no advisories in OSV form exist for the operating system {name}, of which it has {own} packages"
        )
    if not contents.packages:
        return "it has no packages of an operating system or a language that homeport knows"
    return ""


def _match(database: Advisories, packages: list[Package], distribution: Distribution) -> list[Finding]:
    found: dict[tuple[str, str, str, str], Finding] = {}
    for package in packages:
        known = known_as(package, distribution)
        for advisory in database.find(known[0], known[1]) if known else ():
            if affected := match(advisory, package, distribution):
                each = finding(advisory, package, affected.fixed)
                found.setdefault((each.id, each.package, each.version, each.path), each)
    return sorted(found.values(), key=lambda each: (SEVERITIES.index(each.severity), each.id, each.package))
