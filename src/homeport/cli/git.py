"""The git repository that a command is run in, and its remote `homeport`: a push there is a release."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from homeport.cli.target import CannotReach, Target, TargetName

REMOTE = "homeport"


def root(folder: Path) -> Path | None:
    """The top folder of the repository; None outside of one."""
    resolved = folder.resolve()
    return next((each for each in (resolved, *resolved.parents) if (each / ".git").exists()), None)


def has_commits(folder: Path) -> bool:
    """Whether anything was committed yet."""
    if root(folder) is None:
        return False
    return bool(_git(folder, "rev-list", "--all", "--max-count", "1", check=False).strip())


def remotes(folder: Path) -> dict[str, str]:
    """The repository's remotes and their addresses."""
    if root(folder) is None:
        return {}
    lines = _git(folder, "remote", "-v").splitlines()
    return {name: rest.split(" ")[0] for line in lines for name, _, rest in [line.partition("\t")]}


def uncommitted(folder: Path, *names: str) -> list[str]:
    """Which of these files of the folder a push would not take along."""
    there = [name for name in names if (folder / name).exists()]
    lines = _git(folder, "status", "--porcelain", "--", *there).splitlines() if there else []
    return [line[3:] for line in lines]


def pushed(folder: Path) -> str | None:
    """The newest commit that was pushed to the remote `homeport`; None when none was."""
    if root(folder) is None:
        return None
    order = ("--sort=-committerdate", "--count=1", "--format=%(objectname)")
    return _git(folder, "for-each-ref", *order, f"refs/remotes/{REMOTE}/", check=False).strip() or None


def add_remote(folder: Path, url: str, branch: str, target: Target) -> bool:
    """Let `git push homeport` push what is checked out to the branch that is released, with the target's own
    credentials; where the repository has no other remote, `git push` alone does. The applications of one repository
    share the remote: a push goes to each. Only the repository's own configuration is written. Returns whether plain
    `git push` goes there."""
    server = "/".join(url.split("/", 3)[:3])
    helper = f"credential.{server}"
    if REMOTE not in remotes(folder):
        _git(folder, "remote", "add", REMOTE, url)
    elif url not in (known := _git(folder, "remote", "get-url", "--push", "--all", REMOTE).split()):
        stale = [each for each in known if each.rpartition("/")[2] == url.rpartition("/")[2]]
        if stale:  # the same repository at another engine or in another region
            _git(folder, "remote", "set-url", REMOTE, url)
            _git(folder, "config", "--unset-all", f"remote.{REMOTE}.pushurl", check=False)
        else:
            for each in [*known, url] if not _pushes(folder) else [url]:
                _git(folder, "remote", "set-url", "--add", "--push", REMOTE, each)
    _git(folder, "config", f"remote.{REMOTE}.push", f"HEAD:refs/heads/{branch}")
    _git(folder, "config", "--unset-all", f"{helper}.helper", check=False)
    _git(
        folder, "config", "--add", f"{helper}.helper", ""
    )  # other helpers would keep a signature that expires
    _git(folder, "config", "--add", f"{helper}.helper", _helper(target))
    _git(folder, "config", f"{helper}.useHttpPath", "true")
    alone = set(remotes(folder)) == {REMOTE}
    if alone:
        _git(folder, "config", "remote.pushDefault", REMOTE)
    return alone


def aws_command() -> str:
    """The aws cli: the user's, else the one that homeport is installed with."""
    return shutil.which("aws") or str(Path(sys.executable).with_name("aws"))


def _pushes(folder: Path) -> bool:
    return bool(_git(folder, "config", "--get-all", f"remote.{REMOTE}.pushurl", check=False).strip())


def _helper(target: Target) -> str:
    aws = shlex.quote(aws_command())
    if target.name is TargetName.aws:
        options = {"--profile": target.profile, "--region": target.region}
        given = " ".join(f"{name} {shlex.quote(value)}" for name, value in options.items() if value)
        return f"!{aws} {given} codecommit credential-helper $@".replace("  ", " ")
    if target.is_named_by_environment:
        return f"!{aws} codecommit credential-helper $@"
    engine = (
        f"{shlex.quote(sys.executable)} -m homeport.cli.engine env --data {shlex.quote(str(target.folder))}"
    )
    return f'!eval "$({engine})" && {aws} codecommit credential-helper $@'


def _git(folder: Path, *arguments: str, check: bool = True) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotReach("git is not installed: apt-get install git") from None
    if done.returncode and check:
        raise CannotReach(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
