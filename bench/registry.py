"""The registry beside Debian's docker-registry: push and pull of one large layer and of many small ones.

    python bench/registry.py [--size MEGABYTES] [--layers N] [--rounds N]

Needs the package `docker-registry`. Both registries store on the same disk, run at the same time, and are asked in
turns by the same client, so that what else the machine does meets both. Shown are the medians of the rounds, and
the engine's peak of memory.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from homeport.pytest_plugin import RunningEngine

CONNECTIONS = 4
CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Client:
    """Pushes and pulls blobs as docker does: POST, PATCH with the bytes, PUT with the digest."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port = port
        self._headers = headers

    def push(self, file: Path, digest: str) -> None:
        with self._connection() as connection:
            location = self._ask(connection, "POST", "/v2/bench/app/blobs/uploads/", 202)
            with file.open("rb") as body:
                location = self._ask(connection, "PATCH", location, 202, body, file.stat().st_size)
            mark = "&" if "?" in location else "?"
            self._ask(connection, "PUT", f"{location}{mark}digest={digest}", 201)

    def pull(self, digest: str) -> None:
        with self._connection() as connection:
            connection.request("GET", f"/v2/bench/app/blobs/{digest}", headers=self._headers)
            response = connection.getresponse()
            buffer = bytearray(1024 * 1024)
            while response.readinto(buffer):
                pass

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, blocksize=1024 * 1024)
        try:
            yield connection
        finally:
            connection.close()

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        url: str,
        expected: int,
        body: object = None,
        size: int = 0,
    ) -> str:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = self._headers | {"content-length": str(size), "content-type": "application/octet-stream"}
        connection.request(method, target, body=body, headers=headers)  # type: ignore[arg-type]
        response = connection.getresponse()
        text = response.read()
        if response.status != expected:
            raise SystemExit(f"{method} {target}: {response.status} {text[:300]!r}")
        return response.headers.get("location", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=200, help="megabytes of the large layer")
    parser.add_argument("--layers", type=int, default=200, help="number of small layers, of 20 kB each")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if shutil.which("docker-registry") is None:
        raise SystemExit("docker-registry is not installed: apt install docker-registry")
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as (engine, clients):
        times: dict[tuple[str, str], list[float]] = {}
        for _ in range(arguments.rounds):
            for what, sizes in (
                ("large", [arguments.size * 1_000_000]),
                ("small", [20_000] * arguments.layers),
            ):
                files = [make(Path(folder), size) for size in sizes]
                for verb in ("push", "pull"):
                    for name, client in clients.items():
                        times.setdefault((f"{verb} {what}", name), []).append(measure(client, verb, files))
                for file, _ in files:
                    file.unlink()
        report(times, list(clients), peak(engine.pid))


def measure(client: Client, verb: str, files: list[tuple[Path, str]]) -> float:
    def one(file: tuple[Path, str]) -> None:
        client.push(*file) if verb == "push" else client.pull(file[1])

    return clock(lambda: each(one, files))


def each(do: Callable[[tuple[Path, str]], None], files: list[tuple[Path, str]]) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(do, files))


def clock(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def make(folder: Path, size: int) -> tuple[Path, str]:
    """A file of random bytes and its digest."""
    file = folder / os.urandom(8).hex()
    digest = hashlib.sha256()
    with file.open("wb") as out:
        for start in range(0, size, 1_000_000):
            part = os.urandom(min(1_000_000, size - start))
            digest.update(part)
            out.write(part)
    return file, f"sha256:{digest.hexdigest()}"


@contextmanager
def running(folder: Path) -> Iterator[tuple[RunningEngine, dict[str, Client]]]:
    engine = RunningEngine(folder / "engine")
    engine.start()
    ecr = engine.client("ecr")
    ecr.create_repository(repositoryName="bench/app")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = folder / "registry.yml"
    configuration.write_text(CONFIGURATION.format(root=folder / "registry", port=port))
    other = subprocess.Popen(
        ["docker-registry", "serve", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield (
            engine,
            {
                "homeport": Client(engine.port, {"authorization": f"Basic {token}"}),
                "docker-registry": Client(port, {}),
            },
        )
    finally:
        other.terminate()
        engine.stop()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def peak(pid: int) -> float:
    """The most memory that the process had, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def report(times: dict[tuple[str, str], list[float]], names: list[str], memory: float) -> None:
    sys.stdout.write(f"{'':12}" + "".join(f"{name:>18}" for name in names) + f"{'ratio':>8}\n")
    for what in dict.fromkeys(what for what, _ in times):
        medians = [statistics.median(times[what, name]) for name in names]
        cells = "".join(f"{median:>16.3f} s" for median in medians)
        sys.stdout.write(f"{what:12}{cells}{medians[0] / medians[1]:>8.2f}\n")
    sys.stdout.write(f"homeport's peak of memory: {memory:.0f} MB\n")


if __name__ == "__main__":
    main()
