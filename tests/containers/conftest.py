"""A Runtime on the real Docker, and an image small enough to make from the machine's own busybox."""

import io
import secrets
import shutil
import tarfile
from collections.abc import AsyncIterator

import pytest

from homeport.engine.containers.errors import DockerUnavailable
from homeport.engine.containers.runtime import Runtime

IMAGE = "homeport-test/busybox:2"


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    runtime = Runtime(secrets.token_hex(4))
    try:
        await runtime.ping()
    except DockerUnavailable as error:
        await runtime.close()
        pytest.skip(str(error))
    if await runtime.images.inspect(IMAGE) is None:
        await runtime.images.load("homeport-test/busybox", "2", busybox(), ["ENV PATH=/bin"])
    yield runtime
    await runtime.purge()
    await runtime.close()


def busybox() -> bytes:
    """A root file system of one static busybox and its links."""
    binary = shutil.which("busybox")
    if binary is None:
        pytest.skip("the package busybox-static is not installed")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.add(binary, "bin/busybox")
        for name in (
            "sh",
            "sleep",
            "echo",
            "cat",
            "true",
            "false",
            "seq",
            "nc",
            "httpd",
            "wget",
            "id",
            "mkdir",
            "chmod",
            "touch",
        ):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
    return content.getvalue()
