"""`homeport advisories`: the database of image scans, fetched from a mirror, added to, and listed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from typer.testing import CliRunner

from homeport.cli.main import app


def test_advisories_are_fetched_from_a_mirror_added_and_listed(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "data"), "--output", "json"]
    one = json.dumps({"id": "DSA-1", "modified": "2026-01-01T00:00:00Z"})
    mirror = tmp_path / "mirror"
    (mirror / "Debian").mkdir(parents=True)
    with zipfile.ZipFile(mirror / "Debian" / "all.zip", "w") as archive:
        archive.writestr("DSA-1.json", one)
    own = tmp_path / "own.json"
    own.write_text(one)
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    run = CliRunner().invoke

    fetched = run(app, ["advisories", "sync", "Debian", "Gone", "--from", mirror.as_uri(), *data])
    added = run(app, ["advisories", "add", str(own), *data])
    refused = run(app, ["advisories", "add", str(wrong), *data])
    listed = run(app, ["advisories", "list", *data])

    assert fetched.exit_code == 1
    assert json.loads(fetched.stdout) == {"advisories": {"Debian": 1}, "failed": ["Gone"]}
    assert "Gone/all.zip cannot be used" in fetched.stderr
    assert json.loads(added.stdout) == {"advisories": {"own.json": 1}}
    assert (refused.exit_code, "not in OSV form" in refused.stderr) == (1, True)
    assert [each["name"] for each in json.loads(listed.stdout)["files"]] == ["Debian.zip", "own.json"]
