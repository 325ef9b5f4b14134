"""A package against an advisory in OSV form. Pure. https://ossf.github.io/osv-schema/"""

from __future__ import annotations

from typing import Any, NamedTuple

from univers import versions

from homeport.engine.services.ecr.scanning.package import OS_KINDS, Package

Advisory = dict[str, Any]
_ECOSYSTEMS = {"pypi": "PyPI", "npm": "npm", "golang": "Go", "maven": "Maven"}
_VERSIONS: dict[str, Any] = {
    "Debian": versions.DebianVersion,
    "Ubuntu": versions.DebianVersion,
    "Alpine": versions.AlpineLinuxVersion,
    "Wolfi": versions.AlpineLinuxVersion,
    "Chainguard": versions.AlpineLinuxVersion,
    "AlmaLinux": versions.RpmVersion,
    "Rocky Linux": versions.RpmVersion,
    "Red Hat": versions.RpmVersion,
    "SUSE": versions.RpmVersion,
    "openSUSE": versions.RpmVersion,
    "PyPI": versions.PypiVersion,
    "npm": versions.SemverVersion,
    "Go": versions.SemverVersion,
    "Maven": versions.MavenVersion,
}
_DISTRIBUTIONS = {
    "debian": "Debian",
    "ubuntu": "Ubuntu",
    "alpine": "Alpine",
    "wolfi": "Wolfi",
    "chainguard": "Chainguard",
    "almalinux": "AlmaLinux",
    "rocky": "Rocky Linux",
    "rhel": "Red Hat",
    "centos": "Red Hat",
    "sles": "SUSE",
    "opensuse-leap": "openSUSE",
}
OS_ECOSYSTEMS = frozenset(_DISTRIBUTIONS.values())
"""OSV's names of distributions."""


class Distribution(NamedTuple):
    """What an image is made from: `id` and `version` of its os-release; both empty for an image from scratch."""

    id: str
    version: str

    @property
    def ecosystem(self) -> str | None:
        """OSV's name of the distribution, without its release."""
        return _DISTRIBUTIONS.get(self.id)

    @property
    def release(self) -> str:
        """The release as OSV writes it after the ecosystem's name."""
        if self.id == "alpine":
            return "v" + ".".join(self.version.split(".")[:2])
        if self.id in ("debian", "almalinux", "rocky"):
            return self.version.partition(".")[0]
        return self.version if self.id == "ubuntu" else ""


class Affected(NamedTuple):
    """That an advisory affects a package, and the version that mends it, if any."""

    fixed: str | None


def parse_os_release(text: str) -> Distribution:
    """https://www.freedesktop.org/software/systemd/man/latest/os-release.html"""
    lines = (line.partition("=") for line in text.splitlines())
    fields = {key.strip(): value.strip().strip("\"'") for key, _, value in lines}
    return Distribution(fields.get("ID", ""), fields.get("VERSION_ID", ""))


def known_as(package: Package, distribution: Distribution) -> tuple[str, str, str] | None:
    """The ecosystem, name and version by which advisories know the package; None: no advisories speak of it."""
    if package.kind in OS_KINDS:
        ecosystem = distribution.ecosystem
        return (ecosystem, package.source, package.source_version) if ecosystem else None
    return _ECOSYSTEMS[package.kind], package.full_name, package.version


def match(advisory: Advisory, package: Package, distribution: Distribution) -> Affected | None:
    """Whether the advisory affects the package."""
    known = known_as(package, distribution)
    if known is None or advisory.get("withdrawn"):
        return None
    ecosystem, name, version = known
    for affected in advisory.get("affected") or []:
        named = affected.get("package") or {}
        if named.get("name") == name and _covers(named.get("ecosystem", ""), ecosystem, distribution):
            hit, fixed = _in_ranges(affected, ecosystem, version)
            if hit or version in (affected.get("versions") or []):
                return Affected(fixed)
    return None


def _covers(named: str, ecosystem: str, distribution: Distribution) -> bool:
    """Whether the advisory's ecosystem, such as `Debian:12` or `Ubuntu:22.04:LTS`, is the image's."""
    base, _, release = named.partition(":")
    if base != ecosystem:
        return False
    wanted = distribution.release if ecosystem == distribution.ecosystem else ""
    return not release or not wanted or release == wanted or release.startswith(f"{wanted}:")


def _in_ranges(affected: dict[str, Any], ecosystem: str, version: str) -> tuple[bool, str | None]:
    """Whether the version lies in one of the ranges, and what mends it."""
    installed = _version(ecosystem, version)
    hit, fixes = False, []
    for each in affected.get("ranges") or []:
        if installed is None or each.get("type") not in ("ECOSYSTEM", "SEMVER"):
            continue
        inside = False
        for kind, bound in _events(each, ecosystem):
            if kind == "introduced" and (bound is None or installed >= bound):
                inside = True
            elif (kind in ("fixed", "limit") and installed >= bound) or (
                kind == "last_affected" and installed > bound
            ):
                inside = False
            if kind == "fixed" and installed < bound:
                fixes.append(bound)
        hit = hit or inside
    return hit, min(fixes).string if fixes else None


def _events(each: dict[str, Any], ecosystem: str) -> list[tuple[str, Any]]:
    """The events of a range in the order of their versions; None stands for the beginning."""
    events: list[tuple[str, Any]] = []
    for event in each.get("events") or []:
        for kind, text in event.items():
            bound = None if kind == "introduced" and text == "0" else _version(ecosystem, text)
            if bound is not None or (kind == "introduced" and text == "0"):
                events.append((kind, bound))
    beginning = [event for event in events if event[1] is None]
    return beginning + sorted((event for event in events if event[1] is not None), key=lambda event: event[1])


def _version(ecosystem: str, text: str) -> Any:
    try:
        return _VERSIONS[ecosystem](text)
    except (versions.InvalidVersion, ValueError, TypeError):
        return None
