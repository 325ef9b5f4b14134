"""The command that fills the advisory database."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

from tests.ecr.images import advisory

ADVISORY = advisory("PYSEC-1", "PyPI", "requests", "2.31.0")


def homeport(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from homeport.cli.main import main; main()", "advisories", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_files_are_added(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([ADVISORY]))
    done = homeport("add", str(file), "--data", str(tmp_path / "data"))
    assert (done.returncode, done.stdout) == (0, "mine.json: 1 advisories\n")
    listed = json.loads(homeport("list", "--data", str(tmp_path / "data"), "--output", "json").stdout)
    assert listed == {"files": [{"name": "mine.json", "bytes": file.stat().st_size}]}


def test_what_is_not_in_osv_form_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"CVE": "x"}')
    done = homeport("add", str(file), "--data", str(tmp_path / "data"))
    assert done.returncode == 1 and "not in OSV form" in done.stderr
    assert not (tmp_path / "data" / "advisories" / "mine.json").exists()


def test_an_ecosystem_is_fetched_from_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "PyPI").mkdir()
    with zipfile.ZipFile(tmp_path / "PyPI" / "all.zip", "w") as archive:
        archive.writestr("PYSEC-1.json", json.dumps(ADVISORY))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        done = homeport("sync", "PyPI", "--from", url, "--data", str(tmp_path / "data"))
        server.shutdown()
    assert (done.returncode, done.stdout) == (0, "PyPI: 1 advisories\n")
    assert zipfile.is_zipfile(tmp_path / "data" / "advisories" / "PyPI.zip")
