"""Git over HTTP, as git and the aws cli's credential helper do it."""

import subprocess
import time

import pytest


def git(engine, folder, *arguments, check=True):
    helper = "!aws codecommit credential-helper $@"
    command = [
        "git", "-c", f"credential.helper={helper}", "-c", "credential.UseHttpPath=true",
        "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, env=git_env(engine), capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(done.stderr)
    return done


def git_env(engine):
    import sys
    from pathlib import Path

    env = dict(engine.env)
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    env["GIT_TERMINAL_PROMPT"] = "0"
    env["GIT_CONFIG_NOSYSTEM"] = "1"
    return env


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return answer


@pytest.fixture
def repository(engine):
    created = engine.client("codecommit").create_repository(repositoryName="app")
    return created["repositoryMetadata"]


def commit(engine, folder, name, text, message="A change"):
    (folder / name).write_text(text)
    git(engine, folder, "add", "-A")
    git(engine, folder, "commit", "-qm", message)
    return git(engine, folder, "rev-parse", "HEAD").stdout.strip()


def test_a_pushed_commit_can_be_cloned_and_read_by_the_api(engine, repository, tmp_path):
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "work")
    work = tmp_path / "work"
    git(engine, work, "checkout", "-qb", "main")
    head = commit(engine, work, "app.py", "print(1)\n")
    git(engine, work, "push", "-q", "origin", "main")

    codecommit = engine.client("codecommit")
    assert codecommit.get_branch(repositoryName="app", branchName="main")["branch"]["commitId"] == head
    assert (
        codecommit.get_file(repositoryName="app", filePath="app.py", commitSpecifier=head)["fileContent"]
        == b"print(1)\n"
    )
    until(lambda: "defaultBranch" in codecommit.get_repository(repositoryName="app")["repositoryMetadata"])
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "again")
    assert (tmp_path / "again" / "app.py").read_text() == "print(1)\n"


def test_a_wrong_secret_is_refused(engine, repository, tmp_path):
    url = repository["cloneUrlHttp"].replace(
        "http://", "http://AKIAIOSFODNN7EXAMPLE:20260102T030405Z" + "0" * 64 + "@"
    )
    done = git(engine, tmp_path, "clone", url, "work", check=False)
    assert done.returncode != 0


def test_a_commit_by_the_api_is_seen_by_git(engine, repository, tmp_path):
    codecommit = engine.client("codecommit")
    first = codecommit.put_file(
        repositoryName="app", branchName="main", filePath="a/b.txt", fileContent=b"one",
        commitMessage="First", name="Ada", email="ada@example.com",
    )  # fmt: skip
    second = codecommit.create_commit(
        repositoryName="app", branchName="main", parentCommitId=first["commitId"], commitMessage="Second",
        putFiles=[{"filePath": "run.sh", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"}],
        deleteFiles=[{"filePath": "a/b.txt"}],
    )  # fmt: skip
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "work")
    assert [path.name for path in (tmp_path / "work").iterdir() if path.name != ".git"] == ["run.sh"]
    found = codecommit.get_differences(
        repositoryName="app", beforeCommitSpecifier=first["commitId"], afterCommitSpecifier=second["commitId"]
    )["differences"]
    assert [one["changeType"] for one in found] == ["D", "A"]
    with pytest.raises(codecommit.exceptions.ParentCommitIdOutdatedException):
        codecommit.put_file(
            repositoryName="app",
            branchName="main",
            filePath="x",
            fileContent=b"x",
            parentCommitId=first["commitId"],
        )
