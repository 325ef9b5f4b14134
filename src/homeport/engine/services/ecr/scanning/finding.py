"""A finding: a package of an image that an advisory affects, however it was found; and its severity."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cvss import CVSS2, CVSS3, CVSS4, CVSSError

from homeport.engine.services.ecr.scanning.package import Package

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
_WORDS = {
    "CRITICAL": "CRITICAL",
    "HIGH": "HIGH",
    "IMPORTANT": "HIGH",
    "MEDIUM": "MEDIUM",
    "MODERATE": "MEDIUM",
    "LOW": "LOW",
    "NEGLIGIBLE": "INFORMATIONAL",
    "UNIMPORTANT": "INFORMATIONAL",
}
_CLASSES: dict[str, Any] = {"CVSS_V4": CVSS4, "CVSS_V3": CVSS3, "CVSS_V2": CVSS2}
_BOUNDS = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"))


class Finding(NamedTuple):
    """What DescribeImageScanFindings tells of; `fixed` is the version that mends it, if there is one."""

    id: str
    severity: str
    package: str
    version: str
    fixed: str | None = None
    manager: str = ""
    path: str = ""
    arch: str = ""
    title: str = ""
    description: str = ""
    uri: str = ""
    vector: str = ""
    score: float = 0.0
    related: tuple[str, ...] = ()


def finding(advisory: dict[str, Any], package: Package, fixed: str | None) -> Finding:
    """The finding that an advisory in OSV form affects the package."""
    aliases = [*(advisory.get("aliases") or []), *(advisory.get("upstream") or [])]
    names = [advisory["id"], *aliases]
    cve = next((name for name in names if re.fullmatch(r"CVE-\d+-\d+", name)), None)
    vector, score = _cvss(advisory)
    links = [link["url"] for link in advisory.get("references") or [] if link.get("url")]
    return Finding(
        id=cve or advisory["id"],
        severity=_severity(advisory, score),
        package=package.full_name,
        version=package.version,
        fixed=fixed,
        manager=package.kind,
        path=package.path,
        arch=package.arch,
        title=advisory.get("summary") or "",
        description=advisory.get("details") or advisory.get("summary") or "",
        uri=f"https://osv.dev/vulnerability/{advisory['id']}" if not links else links[0],
        vector=vector,
        score=score,
        related=tuple(sorted({name for name in names if name != cve})),
    )


def severity_of(word: str) -> str:
    """ECR's severity for a word that others use."""
    return _WORDS.get(word.upper(), "UNDEFINED")


def _cvss(advisory: dict[str, Any]) -> tuple[str, float]:
    """The vector of the newest CVSS version that the advisory has, and its base score."""
    entries = [*(advisory.get("severity") or [])]
    for affected in advisory.get("affected") or []:
        entries.extend(affected.get("severity") or [])
    vectors = {entry.get("type"): entry.get("score", "") for entry in reversed(entries)}
    for kind, read in _CLASSES.items():
        if kind in vectors:
            try:
                return vectors[kind], float(read(vectors[kind]).scores()[0])
            except CVSSError:
                continue
    return "", 0.0


def _severity(advisory: dict[str, Any], score: float) -> str:
    """What the advisory calls it; else by its score; else what the distribution says of its urgency."""
    specific = [advisory.get("database_specific") or {}]
    for affected in advisory.get("affected") or []:
        specific.extend([affected.get("ecosystem_specific") or {}, affected.get("database_specific") or {}])
    for member in ("severity", "urgency"):
        for each in specific:
            word = each.get(member)
            if isinstance(word, str) and word.upper() in _WORDS:
                return _WORDS[word.upper()]
        if member == "severity" and score:
            return next((severity for bound, severity in _BOUNDS if score >= bound), "INFORMATIONAL")
    return "UNDEFINED"
