"""`homeport init` writes what a repository lacks, whatever language it is in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homeport.cli.main import app
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
