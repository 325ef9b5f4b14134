"""Sources that nobody has looked at before: archives and references that would do more than they say."""

import os
import stat
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from homeport.engine.config import Config
from homeport.engine.services.codebuild.sources import reference, unzip
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.codecommit.git import Login, git_environment, remote_environment


def link(name, target):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member, target


@pytest.mark.parametrize(
    "members",
    [
        [link("a", "../outside"), (zipfile.ZipInfo("a"), "mine")],
        [link("a", ".."), (zipfile.ZipInfo("a/outside"), "mine")],
        [(zipfile.ZipInfo("../outside"), "mine")],
    ],
    ids=["written through a link of the same name", "below a link", "by its name"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_writes_nothing_outside_of_its_folder(tmp_path, members):
    (tmp_path / "outside").write_text("theirs")
    with zipfile.ZipFile(tmp_path / "source.zip", "w") as archive:
        for member, content in members:
            archive.writestr(member, content)
    folder = tmp_path / "folder"
    folder.mkdir()
    unzip(tmp_path / "source.zip", folder)
    assert (tmp_path / "outside").read_text() == "theirs"


def test_a_source_version_is_no_option_of_git():
    assert reference("pr/7") == "refs/pull/7/head"
    with pytest.raises(PhaseFailed, match="is no branch, tag, pull request or commit"):
        reference("--upload-pack=touch /tmp/mine")


class Server(ThreadingHTTPServer):
    """Refuses everything, and remembers who it was told is asking."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Refusal)
        self.told = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/team/app.git"


class Refusal(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.told.append(self.headers.get("authorization"))
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_only_the_server_of_a_login_is_told_of_it():
    own, other = Server(), Server()
    config = Config(Path("/nowhere"))
    login = remote_environment(config, Login(own.url, "x-access-token", "a secret"))
    environment = {**git_environment(), **login, "PATH": os.environ["PATH"]}
    for server in (own, other):
        subprocess.run(["git", "ls-remote", server.url], env=environment, capture_output=True)
        server.shutdown()
        server.server_close()
    assert own.told == ["Basic eC1hY2Nlc3MtdG9rZW46YSBzZWNyZXQ="]
    assert other.told == [None]
