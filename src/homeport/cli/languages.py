"""How an application in each language is tested, and the Dockerfile that it begins with where it has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HUB = "public.ecr.aws/docker/library"
"""Docker Hub's official images, without its limits on anonymous pulls."""
_MADE = re.compile(r"^([ \t]*)(\w+)\s*(?::[^=\n]*)?=\s*(Flask|FastAPI)\(", re.MULTILINE)
_FACTORY = re.compile(r"^def (create_app|make_app)\(", re.MULTILINE)
_MODULES = ("app", "main", "server", "wsgi", "asgi", "__init__")
"""Where an application is made, in the folder itself or in a package of it."""
_EXTRAS = re.compile(r"^(dev|test|tests|testing)\s*=\s*\[", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Language:
    """`port` is the one that is certain whatever the sources say; `test` are commands of the build, in the
    application's folder; `starts` is False when nothing tells how it starts, and the Dockerfile guesses."""

    kind: str
    dockerfile: str
    port: int | None = None
    test: list[str] = field(default_factory=list)
    starts: bool = True


def recognise(folder: Path, port: int) -> Language | None:
    """The language of an application; None where no file tells one."""
    return next((found for each in _LANGUAGES if (found := each(folder, port))), None)


def _node(folder: Path, port: int) -> Language | None:
    if not (folder / "package.json").exists():
        return None
    try:
        package = json.loads(read(folder / "package.json"))
    except ValueError:
        package = {}
    package = package if isinstance(package, dict) else {}
    scripts = package.get("scripts", {})
    install = "npm ci" if (folder / "package-lock.json").exists() else "npm install"
    tested = "test" in scripts and "no test specified" not in scripts["test"]
    test = [install, "npm test"] if tested else []
    if "build" in scripts and "start" not in scripts:
        made = "build" if "react-scripts" in read(folder / "package.json") else "dist"
        return Language("Node, built to a static site", _BUILT.format(install=install, made=made), 80, test)
    start = '["npm", "start"]' if "start" in scripts else f'["node", "{package.get("main", "index.js")}"]'
    build = "RUN npm run build && npm prune --omit=dev\n" if "build" in scripts else ""
    omit = "" if build else " --omit=dev"
    return Language(
        "Node", _NODE.format(install=install + omit, build=build, start=start, port=port), test=test
    )


def _go(folder: Path, port: int) -> Language | None:
    if not (folder / "go.mod").exists():
        return None
    wanted = re.search(r"^go\s+(\d+\.\d+)", read(folder / "go.mod"), re.MULTILINE)
    version = max(wanted[1] if wanted else "", "1.23", key=_number)
    commands = sorted(file.parent for file in (folder / "cmd").glob("*/main.go"))
    package = (
        f"./{commands[0].relative_to(folder)}" if commands and not (folder / "main.go").exists() else "."
    )
    return Language("Go", _GO.format(version=version, package=package, port=port))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


def _python(folder: Path, port: int) -> Language | None:
    packaged = (folder / "pyproject.toml").exists()
    listed = (folder / "requirements.txt").exists()
    if not packaged and not listed and not list(folder.glob("*.py")):
        return None
    requirements = "-r requirements.txt" if listed else "." if packaged else ""
    server, command = _python_server(folder)
    command = command or _python_script(folder)
    needed = " ".join(part for part in (requirements, server) if part)
    install = f"RUN pip install --no-cache-dir {needed}\n" if needed else ""
    test = _python_tests(folder, requirements)
    begins = command or "exec python3 app.py"
    dockerfile = _PYTHON.format(version=_python_version(folder), install=install, command=begins, port=port)
    return Language("Python", dockerfile, port if server else None, test, bool(command))


def _python_version(folder: Path) -> str:
    """The oldest of the two common versions that is new enough."""
    said = re.search(r"requires-python\s*=\s*[\"'][^\"']*?(\d+\.\d+)", read(folder / "pyproject.toml"))
    pinned = re.match(r"(\d+\.\d+)", read(folder / ".python-version"))
    wanted = pinned or said
    return "3.13" if wanted and _number(wanted[1]) > (3, 11) else "3.11"


def _python_server(folder: Path) -> tuple[str, str]:
    """The server to install, and the command that starts the application on $PORT, on all addresses; empty where no
    framework is seen."""
    if (folder / "manage.py").exists():
        wsgi = next(iter(sorted(folder.glob("*/wsgi.py"))), None)
        if wsgi:
            return "gunicorn", f"exec gunicorn --bind 0.0.0.0:$PORT {wsgi.parent.name}.wsgi"
    for file in _python_modules(folder):
        text = read(file)
        if not (made := _MADE.search(text)):
            continue
        factory = _FACTORY.search(text) if made[1] else None
        name = f"{_module(folder, file)}:{factory[1] if factory else made[2]}"
        if made[3] == "FastAPI":
            option = " --factory" if factory else ""
            return "uvicorn", f"exec uvicorn --host 0.0.0.0 --port $PORT{option} {name}"
        called = f"'{name}()'" if factory else name
        return "gunicorn", f"exec gunicorn --bind 0.0.0.0:$PORT {called}"
    return "", ""


def _python_modules(folder: Path) -> list[Path]:
    """Files in which an application may be made, the likeliest first."""
    packages = [
        each.parent for each in sorted([*folder.glob("*/__init__.py"), *folder.glob("src/*/__init__.py")])
    ]
    folders = [folder, folder / "app", *(each for each in packages if each.name not in ("app", "tests"))]
    files = [within / f"{name}.py" for within in folders for name in _MODULES]
    return [each for each in files if each.exists()]


def _module(folder: Path, file: Path) -> str:
    """The name by which a file is imported."""
    parts = list(file.relative_to(folder).with_suffix("").parts)
    return ".".join(part for part in parts if part not in ("src", "__init__"))


def _python_script(folder: Path) -> str:
    """The command that runs the folder's script, or the package that may be run; empty where there is none."""
    scripts = [folder / f"{name}.py" for name in _MODULES if (folder / f"{name}.py").exists()]
    scripts += sorted(
        each for each in folder.glob("*.py") if not each.name.startswith(("test_", "setup", "manage"))
    )
    if scripts:
        return f"exec python3 {scripts[0].name}"
    runnable = sorted([*folder.glob("*/__main__.py"), *folder.glob("src/*/__main__.py")])
    return f"exec python3 -m {_module(folder, runnable[0].parent)}" if runnable else ""


def _python_tests(folder: Path, requirements: str) -> list[str]:
    files = [*folder.glob("tests/**/test_*.py"), *folder.glob("test_*.py")]
    if (folder / "manage.py").exists() and (files or [*folder.glob("*/tests.py"), *folder.glob("*/tests/")]):
        return [*([f"pip install {requirements}"] if requirements else []), "python3 manage.py test"]
    if not files:
        return []
    text = "\n".join(map(read, files))
    install = _test_requirements(folder, requirements)
    if "import unittest" in text or "from unittest" in text:
        return [*([f"pip install {install}"] if install else []), "python3 -m unittest discover -v"]
    return [f"pip install {install} pytest".replace("  ", " "), "python3 -m pytest -q"]


def _test_requirements(folder: Path, requirements: str) -> str:
    """What the tests need besides: an extra of the package, or a list of its own."""
    extra = _EXTRAS.search(read(folder / "pyproject.toml"))
    if extra and requirements == ".":
        return f"'.[{extra[1]}]'"
    names = ("requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt", "test-requirements.txt")
    own = next((f"-r {name}" for name in names if (folder / name).exists()), "")
    return " ".join(part for part in (requirements, own) if part)


def _static(folder: Path, port: int) -> Language | None:
    return Language("static site", _STATIC, 80) if (folder / "index.html").exists() else None


_LANGUAGES: tuple[Callable[[Path, int], Language | None], ...] = (_node, _go, _python, _static)


def read(file: Path) -> str:
    """The beginning of a file's text; empty for one that is not there."""
    try:
        return file.read_text(errors="replace")[:100_000]
    except OSError:
        return ""


_PYTHON = f"""\
FROM {HUB}/python:{{version}}-slim
WORKDIR /app
COPY . .
{{install}}ENV PYTHONUNBUFFERED=1 PORT={{port}}
EXPOSE {{port}}
CMD ["sh", "-c", "{{command}}"]
"""
_NODE = f"""\
FROM {HUB}/node:22-slim
WORKDIR /app
COPY . .
RUN {{install}}
{{build}}ENV NODE_ENV=production PORT={{port}}
EXPOSE {{port}}
CMD {{start}}
"""
_BUILT = f"""\
FROM {HUB}/node:22-slim AS build
WORKDIR /app
COPY . .
RUN {{install}} && npm run build

FROM {HUB}/nginx:stable
COPY --from=build /app/{{made}} /usr/share/nginx/html
EXPOSE 80
"""
_GO = f"""\
FROM {HUB}/golang:{{version}} AS build
WORKDIR /src
COPY . .
RUN go test ./... && CGO_ENABLED=0 go build -o /app {{package}}

FROM {HUB}/debian:bookworm-slim
COPY --from=build /app /app
ENV PORT={{port}}
EXPOSE {{port}}
CMD ["/app"]
"""
_STATIC = f"""\
FROM {HUB}/nginx:stable
COPY . /usr/share/nginx/html
EXPOSE 80
"""
UNKNOWN = f"""\
FROM {HUB}/debian:bookworm-slim
WORKDIR /app
COPY . .
EXPOSE {{port}}
CMD ["./start"]
"""
