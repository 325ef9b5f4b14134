"""A small strict stand-in for a GitHub Enterprise Server: it serves one repository to git, and takes commit statuses
as GitHub's REST API documents them.

https://docs.github.com/en/enterprise-server/rest/commits/statuses#create-a-commit-status
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "ghp_of_ada"
NAME = "team/app"
_STATUS = re.compile(rf"/api/v3/repos/{NAME}/statuses/([0-9a-f]{{40}})")
_HEADERS = {
    "accept": "application/vnd.github+json",
    "authorization": f"Bearer {TOKEN}",
    "content-type": "application/json",
    "x-github-api-version": "2022-11-28",
}


class GitHub:
    """The server. `refuse_with` holds the answers to the next statuses, instead of taking them; `api` what else can be
    read of the repository."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder = folder / "repository"
        self.folder.mkdir()
        self.statuses: list[dict[str, Any]] = []
        self.refuse_with: list[int] = []
        self.problems: list[str] = []
        self.api: dict[str, Any] = {}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")
        self.commit = self.git("rev-parse", "HEAD")
        self.git("update-server-info")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.clone_url = f"{self.url}/{NAME}.git"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """The answer to a POST."""
        found = _STATUS.fullmatch(path)
        wrong = {name: headers.get(name) for name, value in _HEADERS.items() if headers.get(name) != value}
        if found is None or wrong or not headers.get("user-agent"):
            self.problems.append(f"{path} {wrong}")
            return 404, {"message": "Not Found"}
        status = json.loads(body)
        if found[1] != self.commit:
            return 422, {"message": f"No commit found for SHA: {found[1]}"}
        if not _is_status(status):
            self.problems.append(body.decode())
            return 422, {"message": "Validation Failed"}
        if self.refuse_with:
            return self.refuse_with.pop(0), {"message": "not now"}
        self.statuses.append(status)
        return 201, status

    def file(self, path: str, authorization: str | None) -> bytes | int:
        """The answer to a GET: of the API, or a file of the repository, for its user."""
        if found := self.api.get(path.partition("?")[0].removeprefix(f"/api/v3/repos/{NAME}/")):
            return json.dumps(found).encode() if authorization == f"Bearer {TOKEN}" else 401
        expected = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        if authorization != expected:
            return 401
        file = self.folder / ".git" / path.partition("?")[0].removeprefix(f"/{NAME}.git/")
        return file.read_bytes() if file.is_file() else 404

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = server.file(self.path, self.headers.get("authorization"))
                self._answer(*((found, b"") if isinstance(found, int) else (200, found)))

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers["content-length"]))
                status, answer = server.take(self.path, headers, body)
                self._answer(status, json.dumps(answer).encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler


def _is_status(status: dict[str, Any]) -> bool:
    texts = [status.get(key) for key in ("target_url", "description", "context")]
    return (
        set(status) == {"state", "target_url", "description", "context"}
        and status["state"] in ("error", "failure", "pending", "success")
        and all(isinstance(text, str) and text for text in texts)
        and len(status["description"]) <= 140
        and re.match(r"https?://", status["target_url"]) is not None
    )
