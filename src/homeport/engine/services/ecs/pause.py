"""The container that holds the network of a task with several containers, as the ENI of an awsvpc task does.

Its image is one program of a few instructions that sleeps for ever. It is assembled here, so that no compiler and
no registry is needed: an ELF header, one loadable segment, a loop around one system call.
"""

from __future__ import annotations

import io
import struct
import tarfile

from homeport.engine.containers.runtime import Runtime

REPOSITORY = "homeport/pause"
_BASE = 0x400000
_HEADERS = 64 + 56
_CODE = {
    # mov eax, 34 (pause); syscall; jmp back
    "x86_64": (62, bytes.fromhex("b822000000 0f05 ebf7")),
    # mov x0..x3, #0; mov x8, #73 (ppoll); svc #0; b back
    "aarch64": (183, bytes.fromhex("000080d2 010080d2 020080d2 030080d2 280980d2 010000d4 faffff17")),
}


async def pause_image(runtime: Runtime) -> str:
    """The image's name; it is made when Docker does not have it."""
    architecture = (await runtime.info())["Architecture"]
    name = f"{REPOSITORY}:{architecture}"
    if await runtime.images.inspect(name) is None:
        await runtime.images.load(
            REPOSITORY, architecture, _archive(_program(architecture)), ['CMD ["/pause"]']
        )
    return name


def _program(architecture: str) -> bytes:
    """https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""
    machine, code = _CODE[architecture]
    size = _HEADERS + len(code)
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return identity + header + segment + code


def _archive(program: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        file = tarfile.TarInfo("pause")
        file.size, file.mode = len(program), 0o755
        tar.addfile(file, io.BytesIO(program))
    return content.getvalue()
