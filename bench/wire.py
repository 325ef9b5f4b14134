"""Requests a second and latency of small calls and objects, beside moto's server, in one run: python -m bench.wire"""

from __future__ import annotations

import argparse
import os
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
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from homeport.pytest_plugin import RunningEngine

OBJECT = os.urandom(64 * 1024)
CONNECTIONS = 4
BUCKET = "bench"


class Service:
    """One implementation of AWS's API: where it answers, and the keys to sign with."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self.url = url
        self._credentials = Credentials(key, secret)

    def request(
        self, service: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> AWSRequest:
        """A signed request. It is signed once and sent often: signing is the client's cost, not the server's."""
        request = AWSRequest(method, self.url + path, headers=headers, data=body)
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(self._credentials, service, "us-east-1").add_auth(request)
        return request.prepare()


def calls(service: Service, number: int) -> dict[str, Any]:
    """The measured calls. Each connection has an object of its own: moto's server fails when two write one."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    json = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.PutParameter"}
    parameter = b'{"Name": "/bench", "Value": "x", "Type": "String", "Overwrite": true}'
    identity = b"Action=GetCallerIdentity&Version=2011-06-15"
    return {
        "GetCallerIdentity": service.request("sts", "POST", "/", form, identity),
        "PutParameter": service.request("ssm", "POST", "/", json, parameter),
        "PutObject (64 KiB)": service.request("s3", "PUT", f"/{BUCKET}/{number}", {}, OBJECT),
        "GetObject (64 KiB)": service.request("s3", "GET", f"/{BUCKET}/{number}", {}, b""),
    }


def measure(service: Service, call: str, seconds: float) -> tuple[float, float, float]:
    """Requests a second over some keep-alive connections, and the median and 99th percentile in milliseconds. The
    client is as thin as can be, for it shares the machine with the server."""

    def client(number: int) -> list[float]:
        times = []
        with Connection(service, calls(service, number)[call]) as connection:
            connection.exchange()
            end = time.monotonic() + seconds
            while (begin := time.monotonic()) < end:
                connection.exchange()
                times.append(time.monotonic() - begin)
        return times

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        times = sorted(value for each in pool.map(client, range(CONNECTIONS)) for value in each)
    return len(times) / seconds, statistics.median(times) * 1000, times[int(len(times) * 0.99)] * 1000


class Connection:
    """One keep-alive connection that sends the same request over and over."""

    def __init__(self, service: Service, request: Any) -> None:
        address = urlsplit(service.url)
        path = request.url.removeprefix(service.url)
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {"Host": address.netloc, **dict(request.headers), "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._bytes = f"{request.method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
        self._address = (address.hostname, address.port)

    def __enter__(self) -> Connection:
        self._socket = socket.create_connection(self._address, timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def exchange(self) -> None:
        """Send the request and read the whole answer."""
        self._socket.sendall(self._bytes)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            if not (chunk := self._socket.recv(65536)):
                raise RuntimeError("the server closed the connection")
            data += chunk
        head = data[:end].decode("latin-1").lower()
        if " 200 " not in head.partition("\r\n")[0]:
            raise RuntimeError(f"{self._bytes[:80]!r}: {data[:400]!r}")
        length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:"))
        left = length - (len(data) - end - 4)
        while left > 0:
            left -= len(self._socket.recv(min(left, 65536)))
        if "connection: close" in head:
            self.__exit__()
            self.__enter__()


@contextmanager
def homeport(folder: Path) -> Iterator[Service]:
    """An engine, with IAM enforced."""
    engine = RunningEngine(folder / "data")
    engine.start()
    try:
        env = engine.env
        yield Service(engine.url, env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    finally:
        engine.stop()


@contextmanager
def moto(folder: Path) -> Iterator[Service]:
    """moto's own server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "moto.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Service(f"http://127.0.0.1:{port}", "bench", "bench")
    finally:
        process.terminate()
        process.wait()


def main(seconds: float = 5.0) -> list[str]:
    """Measure both, one after the other, and return the lines of a table."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    starters: dict[str, Callable[[Path], Any]] = {"homeport": homeport, "moto": moto}
    with tempfile.TemporaryDirectory() as folder:
        for name, start in starters.items():
            with start(Path(folder)) as service:
                _send(service, service.request("s3", "PUT", f"/{BUCKET}", {}, b""))
                for call in calls(service, 0):
                    found.setdefault(call, {})[name] = measure(service, call, seconds)
    lines = [
        "| call | homeport req/s | p50 ms | p99 ms | moto req/s | p50 ms | p99 ms | times |",
        "|---" * 8 + "|",
    ]
    for call, each in found.items():
        ours, theirs = each["homeport"], each["moto"]
        cells = [f"{ours[0]:.0f}", f"{ours[1]:.2f}", f"{ours[2]:.2f}"]
        cells += [f"{theirs[0]:.0f}", f"{theirs[1]:.2f}", f"{theirs[2]:.2f}", f"{ours[0] / theirs[0]:.1f}×"]
        lines.append(f"| {call} | {' | '.join(cells)} |")
    return lines


def _send(service: Service, request: Any) -> None:
    with Connection(service, request) as connection:
        connection.exchange()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each call is measured")
    print("\n".join(main(parser.parse_args().seconds)))
