"""A command that runs inside a container, read and written like a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiodocker


class Exec:
    """A running command. Read `output()` to its end, then ask for `exit_code()`."""

    def __init__(self, execution: Any, stream: Any) -> None:
        self._execution = execution
        self._stream = stream

    async def output(self) -> AsyncIterator[bytes]:
        """What it writes, stdout and stderr in the order of their arrival, until it ends."""
        while (message := await self._stream.read_out()) is not None:
            yield message.data

    async def write(self, data: bytes) -> None:
        """Send bytes to its standard input."""
        await self._stream.write_in(data)

    async def resize(self, rows: int, columns: int) -> None:
        """Tell its terminal its size."""
        await self._execution.resize(h=rows, w=columns)

    async def exit_code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return (await self._execution.inspect())["ExitCode"]

    async def close(self) -> None:
        """Hang up; a command that reads its standard input sees the end of it."""
        await self._stream.close()


async def start_exec(docker: aiodocker.Docker, id: str, tty: bool) -> Exec:
    """Start the created command of this id and attach to it."""
    execution = docker.containers.exec(id)
    stream = execution.start(detach=False)
    await stream.__aenter__()
    return Exec(execution, stream)
