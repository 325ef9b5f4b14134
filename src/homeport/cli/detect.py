"""What an application's folder tells: its language, its port, its tests, and whether it has a Dockerfile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from homeport.cli.languages import UNKNOWN, Language, read, recognise

DEFAULT_PORT = 8080
_EXPOSED = re.compile(r"^\s*EXPOSE\s+(\d+)", re.IGNORECASE | re.MULTILINE)
_LISTENS = (
    re.compile(r"PORT[\"'\])]*\s*(?:,|\|\||\?\?|or|:-)\s*[\"']?:?(\d{2,5})\b"),
    re.compile(r"\blisten\(\s*(\d{2,5})\b", re.IGNORECASE),
    re.compile(r"ListenAndServe\w*\(\s*[\"']\S*?:(\d{2,5})[\"']"),
    re.compile(r"\bport\b\s*(?::=|[=:])\s*[\"':]*(\d{2,5})\b", re.IGNORECASE),
    re.compile(r"[\"'](?:0\.0\.0\.0|\[::\])?:(\d{4,5})[\"']"),
    re.compile(r"\(\s*[\"'](?:0\.0\.0\.0)?[\"']\s*,\s*(\d{2,5})\s*\)"),
)
"""How sources say which port they listen on, the surest first."""
_HEALTH = re.compile(r"[\"'](/(?:health|healthz|status|ping)[a-z/]*)[\"']")
_DJANGO_HEALTH = re.compile(r"\bpath\(\s*[\"']((?:health|healthz|status|ping)[a-z/]*)[\"']")
_CONTAINER = re.compile(r'\{\\?"name\\?":\s*\\?"([a-z][a-z0-9-]*)\\?"')
_SOURCES = (
    *("*.py", "*.js", "*.mjs", "*.cjs", "*.ts", "*.go", "*/*.py", "cmd/**/*.go"),
    *("src/**/*.py", "src/**/*.js", "src/**/*.ts", "internal/**/*.go"),
)
_SKIPPED = {"node_modules", "vendor", "dist", "build", "docs", "tests", "test", "scripts", "examples"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`dockerfile` is what to write where there is none; `port` is None when nothing tells it; `starts` is False when
    nothing tells how it starts."""

    kind: str
    port: int | None
    health: str
    buildspec: str | None = None
    container: str | None = None
    test: list[str] = field(default_factory=list)
    dockerfile: str | None = None
    starts: bool = True


def look_at(folder: Path, otherwise: int = DEFAULT_PORT) -> Finding:
    """What the folder holds. `otherwise` is the port of an application that tells none."""
    files = (file for pattern in _SOURCES for file in sorted(folder.glob(pattern))[:50])
    text = "\n".join(read(file) for file in files if not _is_aside(file.relative_to(folder)))
    own = folder / "Dockerfile"
    exposed = _EXPOSED.search(read(own))
    port = int(exposed[1]) if exposed else _listens(text)
    language = recognise(folder, port or otherwise) or _other(own, port or otherwise)
    health = _HEALTH.search(text) or _DJANGO_HEALTH.search(text)
    spec = next((name for name in ("buildspec.yml", "buildspec.yaml") if (folder / name).exists()), None)
    named = _CONTAINER.search(read(folder / spec)) if spec else None
    return Finding(
        kind=language.kind,
        port=port if own.exists() else language.port or port,
        health=f"/{health[1].lstrip('/')}" if health else "/",
        buildspec=spec,
        container=named[1] if named else None,
        test=language.test,
        dockerfile=None if own.exists() else language.dockerfile,
        starts=own.exists() or language.starts,
    )


def services_in(folder: Path) -> list[Path]:
    """The folders of a repository that are applications, when it holds several and is none itself."""
    if (folder / "Dockerfile").exists() or recognise(folder, DEFAULT_PORT):
        return []
    inner = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    candidates = [each for each in inner if each.name not in _SKIPPED]
    candidates += [deep for each in candidates for deep in sorted(each.iterdir()) if deep.is_dir()]
    return [each for each in candidates if (each / "Dockerfile").exists() or recognise(each, DEFAULT_PORT)]


def _is_aside(file: Path) -> bool:
    """Whether a file is none of the application's own."""
    return any(part in _SKIPPED or part.startswith(".") for part in file.parts[:-1])


def _listens(text: str) -> int | None:
    found = (match for pattern in _LISTENS for match in pattern.finditer(text))
    return next((port for match in found if 1 <= (port := int(match[1])) <= 65535), None)


def _other(dockerfile: Path, port: int) -> Language:
    return Language(
        "Dockerfile" if dockerfile.exists() else "unknown", UNKNOWN.format(port=port), starts=False
    )
