"""Heads are read from git's own files, loose and packed."""

import subprocess

from homeport.engine.services.codecommit import git


def test_heads_are_what_git_says_whether_packed_or_not(tmp_path):
    def run(*arguments):
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    run("init", "-q", "-b", "main")
    run("commit", "-q", "--allow-empty", "-m", "one")
    run("branch", "feature/a")
    run("tag", "-a", "v1", "-m", "v1")
    repository = tmp_path / ".git"
    for _ in range(2):
        for name in ("refs/heads/main", "refs/heads/feature/a", "refs/tags/v1"):
            assert git.head(repository, name) == run("rev-parse", name)
        run("pack-refs", "--all")
    for name in ("refs/heads/feature", "refs/heads/none", "refs/../HEAD", "HEAD"):
        assert git.head(repository, name) is None
