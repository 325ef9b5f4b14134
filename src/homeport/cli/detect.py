"""What an application's folder tells: its language, its port, its tests, and whether it has a Dockerfile."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

_PORT = re.compile(r"^\s*EXPOSE\s+(\d+)", re.IGNORECASE | re.MULTILINE)
_LISTEN = re.compile(r"(?:listen\(|port\s*[=:]\s*|PORT[\"']?\s*,\s*[\"']?|:)(\d{4,5})\b", re.IGNORECASE)
_HEALTH = re.compile(r"[\"'](/(?:health|healthz|status|ping)[a-z/]*)[\"']")
_CONTAINER = re.compile(r'\{\\?"name\\?":\s*\\?"([a-z][a-z0-9-]*)\\?"')
_SOURCES = (
    "*.py",
    "*.js",
    "*.mjs",
    "*.ts",
    "*.go",
    "src/*.py",
    "src/*.js",
    "src/*.ts",
    "app/*.py",
    "cmd/**/*.go",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`dockerfile` is what to write where there is none; `port` is None when nothing tells it."""

    kind: str
    port: int | None
    health: str
    buildspec: str | None = None
    container: str | None = None
    test: list[str] = field(default_factory=list)
    dockerfile: str | None = None


def look_at(folder: Path) -> Finding:
    """What the folder holds."""
    text = "\n".join(_read(file) for pattern in _SOURCES for file in sorted(folder.glob(pattern))[:50])
    own = folder / "Dockerfile"
    exposed = _PORT.search(_read(own)) if own.exists() else None
    kind, port, test, dockerfile = _language(folder, text)
    if exposed:
        port = int(exposed[1])
    health = _HEALTH.search(text)
    spec = next((name for name in ("buildspec.yml", "buildspec.yaml") if (folder / name).exists()), None)
    named = _CONTAINER.search(_read(folder / spec)) if spec else None
    return Finding(
        kind=kind,
        port=port,
        health=health[1] if health else "/",
        buildspec=spec,
        container=named[1] if named else None,
        test=test,
        dockerfile=None if own.exists() else dockerfile,
    )


def _language(folder: Path, text: str) -> tuple[str, int | None, list[str], str]:
    listened = _LISTEN.search(text)
    port = int(listened[1]) if listened else None
    if (folder / "package.json").exists():
        return _node(folder, port)
    if (folder / "go.mod").exists():
        return "Go", port, ["go test ./..."], _GO.format(port=port or 8080)
    if any((folder / name).exists() for name in ("pyproject.toml", "requirements.txt")) or list(
        folder.glob("*.py")
    ):
        return _python(folder, port)
    if (folder / "index.html").exists():
        return "static site", 80, [], _STATIC
    if (folder / "Dockerfile").exists():
        return "Dockerfile", port, [], ""
    return "unknown", port, [], _UNKNOWN


def _node(folder: Path, port: int | None) -> tuple[str, int | None, list[str], str]:
    try:
        package = json.loads(_read(folder / "package.json"))
    except ValueError:
        package = {}
    scripts = package.get("scripts", {}) if isinstance(package, dict) else {}
    locked = (folder / "package-lock.json").exists()
    install = "npm ci" if locked else "npm install"
    tested = "test" in scripts and "no test specified" not in scripts["test"]
    start = '["npm", "start"]' if "start" in scripts else f'["node", "{package.get("main", "index.js")}"]'
    test = [install, "npm test"] if tested else []
    return "Node", port, test, _NODE.format(install=f"{install} --omit=dev", start=start, port=port or 8080)


def _python(folder: Path, port: int | None) -> tuple[str, int | None, list[str], str]:
    requirements = (folder / "requirements.txt").exists()
    install = (
        "pip install --no-cache-dir -r requirements.txt" if requirements else "pip install --no-cache-dir ."
    )
    if not requirements and not (folder / "pyproject.toml").exists():
        install = "true"
    main = next(
        (name for name in ("app.py", "main.py", "server.py", "wsgi.py") if (folder / name).exists()), "app.py"
    )
    tests = (folder / "tests").is_dir() or list(folder.glob("test_*.py"))
    test = [install.replace(" --no-cache-dir", "")] if tests and install != "true" else []
    test += ["python3 -m unittest discover -v"] if tests else []
    return "Python", port, test, _PYTHON.format(install=install, main=main, port=port or 8080)


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")[:100_000]
    except OSError:
        return ""


_PYTHON = """\
FROM public.ecr.aws/docker/library/python:3.11-slim
WORKDIR /app
COPY . .
RUN {install}
ENV PYTHONUNBUFFERED=1 PORT={port}
EXPOSE {port}
CMD ["python3", "{main}"]
"""
_NODE = """\
FROM public.ecr.aws/docker/library/node:20-slim
WORKDIR /app
COPY . .
RUN {install}
ENV NODE_ENV=production PORT={port}
EXPOSE {port}
CMD {start}
"""
_GO = """\
FROM public.ecr.aws/docker/library/golang:1.22 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /app .

FROM public.ecr.aws/docker/library/debian:bookworm-slim
COPY --from=build /app /app
ENV PORT={port}
EXPOSE {port}
CMD ["/app"]
"""
_STATIC = """\
FROM public.ecr.aws/docker/library/nginx:stable
COPY . /usr/share/nginx/html
EXPOSE 80
"""
_UNKNOWN = """\
FROM public.ecr.aws/docker/library/debian:bookworm-slim
WORKDIR /app
COPY . .
EXPOSE 8080
CMD ["./start"]
"""
