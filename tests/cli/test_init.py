"""`homeport init` writes what a repository lacks, whatever language it is in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homeport.cli import git
from homeport.cli.main import app
from homeport.cli.target import Target
from homeport.manifest.reader import read

REPOSITORIES = {
    "python": {
        "app.py": "PORT = 8000\nserver(port=8000)\nif path == '/health': ok()",
        "requirements.txt": "flask",
    },
    "node": {"package.json": json.dumps({"scripts": {"start": "node ."}}), "index.js": "app.listen(3000)"},
    "go": {"go.mod": "module shop", "main.go": 'http.ListenAndServe(":9090", nil)'},
    "site": {"index.html": "<h1>hello</h1>"},
}
EXPECTED = {"python": (8000, "/health"), "node": (3000, "/"), "go": (9090, "/"), "site": (80, "/")}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("kind", REPOSITORIES)
def test_a_repository_gets_a_manifest_and_a_dockerfile(kind: str, tmp_path: Path) -> None:
    folder = write(tmp_path / f"my-{kind}", REPOSITORIES[kind])

    done = CliRunner().invoke(app, ["init", str(folder), "--yes"])

    assert done.exit_code == 0, done.output
    manifest = read(folder / "homeport.yml")
    assert manifest.app == f"my-{kind}"
    assert (manifest.service.port, manifest.service.health) == EXPECTED[kind]
    assert f"EXPOSE {EXPECTED[kind][0]}" in (folder / "Dockerfile").read_text()


DOCKERFILES = {
    "fastapi": (
        {
            "pyproject.toml": 'requires-python = ">=3.12"',
            "app/main.py": "from fastapi import *\napi = FastAPI()",
        },
        ["python:3.13-slim", "pip install --no-cache-dir . uvicorn", "--port $PORT app.main:api"],
    ),
    "flask": ({"app.py": "shop = Flask(__name__)"}, ["gunicorn --bind 0.0.0.0:$PORT app:shop"]),
    "django": ({"manage.py": "", "site1/wsgi.py": "", "requirements.txt": "django"}, ["$PORT site1.wsgi"]),
    "flask-factory": (
        {
            "requirements.txt": "flask",
            "shop/__init__.py": "def create_app():\n    app = Flask(__name__)\n    return app",
        },
        ["gunicorn --bind 0.0.0.0:$PORT 'shop:create_app()'"],
    ),
    "package": (
        {"pyproject.toml": "", "src/shop/__init__.py": "", "src/shop/main.py": "app: FastAPI = FastAPI()"},
        ["--port $PORT shop.main:app"],
    ),
    "module": ({"pyproject.toml": "", "shop/__main__.py": ""}, ["exec python3 -m shop"]),
    "script": ({"server.py": "port = 8000", "test_x.py": ""}, ["exec python3 server.py", "EXPOSE 8000"]),
    "vite": (
        {"package.json": '{"scripts": {"build": "vite build"}}'},
        ["npm run build", "FROM public.ecr.aws/docker/library/nginx", "/app/dist /usr/share/nginx/html"],
    ),
    "typescript": (
        {
            "package.json": '{"scripts": {"build": "tsc", "start": "node ."}}',
            "src/server.ts": "connect('db:5432'); app.listen(process.env.PORT ?? 4000)",
        },
        ["npm run build && npm prune --omit=dev", "EXPOSE 4000"],
    ),
    "go-command": (
        {"go.mod": "module x\ngo 1.24", "cmd/web/main.go": ""},
        ["golang:1.24", "go test ./...", "-o /app ./cmd/web"],
    ),
}


@pytest.mark.parametrize("kind", DOCKERFILES)
def test_the_dockerfile_fits_the_framework(kind: str, tmp_path: Path) -> None:
    files, expected = DOCKERFILES[kind]
    folder = write(tmp_path / "shop", files)

    CliRunner().invoke(app, ["init", str(folder), "--yes"])

    dockerfile = (folder / "Dockerfile").read_text()
    for line in expected:
        assert line in dockerfile


TESTS = {
    "django": ({"manage.py": "", "shop/wsgi.py": "", "orders/tests.py": ""}, ["python3 manage.py test"]),
    "extra": (
        {"pyproject.toml": "[project.optional-dependencies]\ndev = ['httpx']", "tests/test_x.py": ""},
        ["pip install '.[dev]' pytest", "python3 -m pytest -q"],
    ),
    "list": (
        {"requirements.txt": "", "requirements-dev.txt": "", "test_x.py": ""},
        ["pip install -r requirements.txt -r requirements-dev.txt pytest", "python3 -m pytest -q"],
    ),
}


@pytest.mark.parametrize("kind", TESTS)
def test_tests_are_found_with_what_they_need(kind: str, tmp_path: Path) -> None:
    files, expected = TESTS[kind]

    CliRunner().invoke(app, ["init", str(write(tmp_path / "shop", files)), "--yes"])

    assert read(tmp_path / "shop" / "homeport.yml").build.test == expected


def test_a_health_path_is_found_in_the_routes_of_a_package(tmp_path: Path) -> None:
    files = {
        "manage.py": "",
        "shop/wsgi.py": "",
        "shop/urls.py": "path('healthz/', health)",
        "tests/x.py": "'/ping'",
    }

    CliRunner().invoke(app, ["init", str(write(tmp_path / "shop", files)), "--yes"])

    assert read(tmp_path / "shop" / "homeport.yml").service.health == "/healthz/"


def test_what_nothing_starts_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(write(tmp_path / "shop", {"pyproject.toml": ""})), "--yes"])

    assert "nothing tells how it starts; write its CMD" in done.output.replace("\n", "")


def test_each_service_of_a_repository_gets_its_own(tmp_path: Path) -> None:
    files = {
        "web/index.html": "",
        "services/api/server.py": "port = 8000",
        "docs/index.html": "",
        ".git/HEAD": "",
    }
    folder = write(tmp_path / "shop", files)

    done = CliRunner().invoke(app, ["init", str(folder), "--yes"])

    manifest = read(folder / "services" / "api" / "homeport.yml")
    assert manifest.app == "shop-api"
    assert (manifest.source.folder, manifest.source.repository) == ("services/api", "shop")
    other = read(folder / "web" / "homeport.yml")
    assert (other.app, other.source.folder, other.source.repository) == ("shop-web", "web", "shop")
    assert {manifest.source.existing, other.source.existing} == {True, False}
    assert not (folder / "docs" / "homeport.yml").exists()
    assert "homeport deploy -f" in done.output


def test_what_cannot_be_seen_is_asked(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop", {"run.rb": ""})

    done = CliRunner().invoke(app, ["init", str(folder)], input="store\n9000\n/up\n")

    manifest = read(folder / "homeport.yml")
    assert (manifest.app, manifest.service.port, manifest.service.health) == ("store", 9000, "/up")
    assert "EXPOSE 9000" in (folder / "Dockerfile").read_text()
    assert "port 9000, health at /up" in done.output


def test_where_nobody_answers_a_sentence_says_how_to_do_without(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["init", str(write(tmp_path / "shop", {"run.rb": ""}))], input="")

    assert refused.exit_code == 1
    assert "Nobody answers here. --yes takes what is found" in refused.output


def test_pushes_to_github_are_released_by_a_connection(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop", {"app.py": ""})
    refused = CliRunner().invoke(app, ["init", str(folder), "--yes", "--github"])
    for command in ("init", "remote add origin git@github.com:team/shop.git"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True, capture_output=True)

    CliRunner().invoke(app, ["init", str(folder), "--yes", "--github"])

    assert refused.exit_code == 1
    assert "git remote add origin" in refused.output
    source = read(folder / "homeport.yml").source
    assert (source.provider, source.repository) == ("connection", "team/shop")


def test_what_was_pushed_is_known_from_the_remote_homeport(tmp_path: Path) -> None:
    def run(*words: str, folder: Path = tmp_path) -> str:
        done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run("init", "--quiet", "--bare", "there")
    here = tmp_path / "here"
    run("init", "--quiet", "here")
    run("remote", "add", "homeport", str(tmp_path / "there"), folder=here)
    before = git.pushed(here)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    run(*identity, "commit", "--quiet", "--allow-empty", "--message", "one", folder=here)
    run("push", "--quiet", "homeport", "HEAD:refs/heads/main", folder=here)

    assert (git.pushed(tmp_path), before) == (None, None)
    assert git.pushed(here) == run("rev-parse", "HEAD", folder=here)


def test_the_remote_leads_to_every_application_of_the_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    target = Target(data=tmp_path)

    def config(name: str) -> list[str]:
        command = ["git", "config", "--get-all", name]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout.split("\n")[:-1]

    alone = git.add_remote(tmp_path, "http://one:1/v1/repos/web", "main", target)
    git.add_remote(tmp_path, "http://one:1/v1/repos/api", "main", target)
    git.add_remote(tmp_path, "http://one:1/v1/repos/api", "main", target)

    assert alone
    assert config("remote.homeport.pushurl") == ["http://one:1/v1/repos/web", "http://one:1/v1/repos/api"]
    assert config("remote.homeport.push") == ["HEAD:refs/heads/main"]
    assert config("remote.pushDefault") == ["homeport"]
    reset, helper = config("credential.http://one:1.helper")
    assert (reset, "codecommit credential-helper" in helper) == ("", True)

    git.add_remote(tmp_path, "http://two:2/v1/repos/web", "main", target)

    assert config("remote.homeport.url") == ["http://two:2/v1/repos/web"]
    assert config("remote.homeport.pushurl") == []


def test_what_is_there_is_kept_and_used(tmp_path: Path) -> None:
    spec = """printf '[{"name":"web","imageUri":"%s"}]' $URI > imagedefinitions.json"""
    files = {"Dockerfile": "FROM x\nEXPOSE 5000\n", "buildspec.yml": spec, "app.py": ""}
    folder = write(tmp_path / "shop", files)

    CliRunner().invoke(app, ["init", str(folder), "--yes"])

    manifest = read(folder / "homeport.yml")
    assert (folder / "Dockerfile").read_text() == files["Dockerfile"]
    assert manifest.build.buildspec == "buildspec.yml"
    assert manifest.container == "web"
    assert manifest.service.port == 5000


def test_an_existing_manifest_is_not_replaced_unasked(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop", {"homeport.yml": "app: mine"})

    done = CliRunner().invoke(app, ["init", str(folder), "--yes"])

    assert done.exit_code != 0
    assert (folder / "homeport.yml").read_text() == "app: mine"


def test_a_wrong_manifest_ends_a_command_with_sentences(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop", {"homeport.yml": "app: shop\nservice: {prot: 80}"})

    done = CliRunner().invoke(app, ["synth", "--file", str(folder / "homeport.yml")])

    assert done.exit_code == 1
    assert "did you mean 'port'?" in done.output
    assert "Traceback" not in done.output
