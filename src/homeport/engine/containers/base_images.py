"""Base images made on this machine from Debian's packages, for networks that reach no registry of images.

homeport/base:bookworm    Debian, minimal, with apt
homeport/python:3.11      the same with Python and pip, as the images `python:3.11-slim` are; also 3.13
homeport/node:22          Node and npm, as `node:22-slim`; also 18, 20 and 24
homeport/golang:1.23      Go, as `golang:1.23`; also 1.22 and 1.24
homeport/nginx:stable     nginx, as `nginx:stable`
homeport/sample:latest    a web page at port 80, as `amazon-ecs-sample` is
homeport/hello:latest     one of nginx that tells the server's name, as `nginxdemos/hello` does
homeport/build:bookworm   what a build needs: git, Docker, Python, Node, npm, the aws cli, make, jq, …
homeport/lambda:bookworm  what a Lambda function of a managed runtime needs: Python with boto3, and Node

What they are made of: recipes.py. Each is made once: its label `homeport.revision` is that of its recipe. Processes
that want the same image wait for the first of them.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from homeport.engine.containers.images import Images
from homeport.engine.containers.recipes import BOOKWORM, MIRROR, Recipe

_SLIM = """cd "$1"/usr/share && rm -rf man info locale && find doc -type f ! -name copyright -delete"""
_LABEL = "homeport.revision"


class CannotMake(Exception):
    """Why an image cannot be made on this machine, and what to do."""


async def ensure(images: Images, recipe: Recipe, tell: Callable[[str], None] = lambda line: None) -> str:
    """The image's name, made now when it is missing or older than its recipe. Raises CannotMake."""
    if await _is_made(images, recipe):
        return recipe.name
    async with _lock(recipe) as lock:
        if not await _is_made(images, recipe):
            tell(f"Making the image {recipe.name} from Debian packages; this happens once on a machine")
            await _make(images, recipe, lock)
    return recipe.name


async def _is_made(images: Images, recipe: Recipe) -> bool:
    found = await images.inspect(recipe.name)
    labels = (found or {}).get("Config", {}).get("Labels") or {}
    return int(labels.get(_LABEL, 0)) >= recipe.revision


@asynccontextmanager
async def _lock(recipe: Recipe) -> AsyncIterator[int]:
    """One maker at a time on a machine, over all engines; the lock's file descriptor is handed to the programs that
    make the image, so that it is held until they end even if the engine is killed."""
    folder = _folder(recipe)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.25)
        yield file.fileno()


def _folder(recipe: Recipe) -> Path:
    """Where the image is made. What a killed engine had made there is used by the next."""
    name = recipe.name.replace("/", "-").replace(":", "-")
    top = Path(tempfile.gettempdir()) / f"homeport-images-{os.getuid()}"
    top.mkdir(mode=0o700, exist_ok=True)
    return top / f"{name}-{recipe.revision}"


async def _make(images: Images, recipe: Recipe, lock: int) -> None:
    repository, _, tag = recipe.name.partition(":")
    label = f"LABEL {_LABEL}={recipe.revision}"
    if recipe.base:
        base = await ensure(images, recipe.base)
        await images.derive(base, repository, tag, [*recipe.changes, label])
        return
    folder = _folder(recipe)
    whole = folder / "whole.tar"
    if not whole.exists():
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir()
        extra = folder / "tools.tar"
        if recipe.tools:
            try:
                await asyncio.to_thread(recipe.tools, extra)
            except OSError as error:
                raise CannotMake(f"{recipe.name}: its parts cannot be fetched: {error}") from None
        part = folder / "part.tar"
        made = _command(recipe, part, extra if recipe.tools else None, folder)
        await _run(
            ["sh", "-ec", '"$@"; mv "$0/part.tar" "$0/whole.tar"', str(folder), *made], lock, folder / "log"
        )
    with whole.open("rb") as file:
        await images.load(repository, tag, file, [*recipe.changes, label])
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _command(recipe: Recipe, tar: Path, extra: Path | None, folder: Path) -> Sequence[str]:
    if not sys.platform.startswith("linux"):
        raise CannotMake(f"{recipe.name} is made from Debian packages, which needs Linux.")
    if maker := shutil.which("mmdebstrap"):
        return _mmdebstrap(maker, recipe, tar, extra)
    if (maker := shutil.which("debootstrap")) and os.getuid() == 0 and recipe.sources == BOOKWORM:
        return _debootstrap(maker, recipe, tar, extra, folder / "root")
    raise CannotMake(
        f"{recipe.name} is made from Debian packages by mmdebstrap, which is not installed: "
        "apt-get install mmdebstrap (or `make setup`)."
    )


def _mmdebstrap(maker: str, recipe: Recipe, tar: Path, extra: Path | None) -> list[str]:
    options = [
        "--quiet",
        "--variant=apt",
        '--aptopt=Apt::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=force-unsafe-io",
        f"--include={','.join(recipe.packages)}",
        *_merged_usr(),
        *_extras(recipe, extra),
        '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED "$1"/etc/resolv.conf',
        f"--customize-hook={_SLIM}",
        '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin',
    ]
    return [maker, *options, recipe.suite, str(tar), *recipe.sources]


def _extras(recipe: Recipe, extra: Path | None) -> Iterator[str]:
    """What is added to the packages."""
    if extra:
        yield f"--customize-hook=tar-in {shlex.quote(str(extra))} /"
    if recipe.libraries:
        yield f'--customize-hook=chroot "$1" python3 -m compileall -q -j 0 /{recipe.libraries} || true'
    if recipe.finish:
        trusted = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
        if trusted.is_file():
            yield f"--customize-hook=upload {shlex.quote(str(trusted))} /tmp/ca.pem"
        command = shlex.quote(recipe.finish)
        inside = "env HOME=/root NODE_EXTRA_CA_CERTS=/tmp/ca.pem sh -c"
        yield f'--customize-hook=chroot "$1" {inside} {command} >/dev/null 2>&1 || true'
        yield '--customize-hook=rm -f "$1"/tmp/ca.pem'


def _merged_usr() -> list[str]:
    """Merge /usr beforehand: the package that would do it later brings 50 MB of Perl."""
    hooks = Path("/usr/share/mmdebstrap/hooks/merged-usr")
    return [f"--hook-dir={hooks}", "--include=usr-is-merged"] if hooks.is_dir() else []


def _debootstrap(maker: str, recipe: Recipe, tar: Path, extra: Path | None, root: Path) -> list[str]:
    packages, quoted = ",".join(recipe.packages), shlex.quote(str(root))
    steps = [
        f"{maker} --variant=minbase --include={packages} {recipe.suite} {quoted} {MIRROR} >/dev/null",
        f"rm -rf {quoted}/var/cache/apt/archives/*.deb {quoted}/usr/lib/python3*/EXTERNALLY-MANAGED",
        *([f"tar -C {quoted} -xf {shlex.quote(str(extra))}"] if extra else []),
        *([f"chroot {quoted} sh -c {shlex.quote(recipe.finish)} || true"] if recipe.finish else []),
        f"tar -C {quoted} -cf {shlex.quote(str(tar))} .",
    ]
    return ["sh", "-ec", "\n".join(steps)]


async def _run(command: Sequence[str], lock: int, log: Path) -> None:
    """Run a program to its end. It goes on when the engine ends: the next one finds what it has made."""
    with log.open("wb") as said:
        # not asyncio's, which kills its children when the loop ends
        process = subprocess.Popen(  # noqa: ASYNC220 -- it begins at once, and its end is polled
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=(lock,),
            start_new_session=True,
            env=_environment(),
        )
    while process.poll() is None:
        await asyncio.sleep(0.1)
    if process.returncode:
        reason = " ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
        raise CannotMake(f"{Path(command[4]).name} failed: {reason}. Does this machine reach {MIRROR}?")


def _environment() -> Mapping[str, str]:
    """apt must not ask questions, and must find its own programs also for users whose PATH lacks them."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return {**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
