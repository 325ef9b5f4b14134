"""Containers as services use them, on the real Docker."""

import asyncio
import contextlib
import subprocess
from pathlib import Path

import pytest

from homeport.engine.containers import events
from homeport.engine.containers import network as networks
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable, PullFailed
from homeport.engine.containers.runtime import Runtime
from tests.containers.conftest import IMAGE


def shell(script: str, **config):
    return {"Image": IMAGE, "Cmd": ["sh", "-c", script], **config}


async def test_a_second_engine_process_attaches_by_name(runtime: Runtime):
    name = runtime.name("test", "attach")
    first = await runtime.ensure(name, shell("sleep 0.3; exit 7"))
    await runtime.start(name)

    successor = Runtime(runtime.engine_id)
    assert await successor.ensure(name, shell("never run")) == first
    await successor.start(name)
    assert (await successor.wait(name)).code == 7
    await successor.close()


async def test_a_container_of_another_engine_is_not_attached(runtime: Runtime):
    name = runtime.name("test", "foreign")
    await runtime.ensure(name, shell("true"))
    with pytest.raises(DockerRefused, match="already in use"):
        stranger = Runtime("00000000")
        try:
            await stranger.ensure(name, shell("true"))
        finally:
            await stranger.close()


async def test_a_container_whose_creation_was_cancelled_is_removed_with_the_others(runtime: Runtime):
    making = [
        asyncio.create_task(runtime.ensure(runtime.name("test", str(number)), shell("true")))
        for number in range(8)
    ]
    await asyncio.sleep(0.02)
    for task in making:
        task.cancel()
    await asyncio.gather(*making, return_exceptions=True)

    await runtime.remove_all()

    await asyncio.sleep(0.5)
    assert await runtime.containers() == []


async def test_stopping_lets_it_end_by_itself_and_then_kills(runtime: Runtime):
    polite, stubborn = runtime.name("test", "polite"), runtime.name("test", "stubborn")
    await runtime.ensure(polite, shell("trap 'exit 3' TERM; while true; do sleep 0.05; done"))
    await runtime.ensure(stubborn, shell("trap '' TERM; while true; do sleep 0.05; done"))
    for name in (polite, stubborn):
        await runtime.start(name)
    await asyncio.sleep(0.2)
    await asyncio.gather(runtime.stop(polite, 5), runtime.stop(stubborn, 1))
    assert (await runtime.wait(polite)).code == 3
    assert (await runtime.wait(stubborn)).code == 137
    await runtime.remove(polite)
    await runtime.remove(polite)
    assert await runtime.inspect(polite) is None


async def test_out_of_memory_is_told_apart(runtime: Runtime):
    name = runtime.name("test", "oom")
    config = shell(
        "x=0123456789abcdef; while true; do x=$x$x; done",
        HostConfig={"Memory": 16 << 20, "MemorySwap": 16 << 20},
    )
    await runtime.ensure(name, config)
    await runtime.start(name)
    ended = await runtime.wait(name)
    assert (ended.code, ended.oom) == (137, True)


async def test_logs_resume_after_any_line_without_loss_or_doubles(runtime: Runtime):
    name = runtime.name("test", "logs")
    await runtime.ensure(name, shell("seq 1 400; echo err >&2; seq 401 800; echo -n end"))
    await runtime.start(name)
    whole = [line async for line in runtime.logs(name)]
    # Docker ends the stream with the container, even if it has not handed over everything yet
    last = whole[-1].position if whole else None
    whole += [line async for line in runtime.logs(name, last, follow=False)]
    expected = [str(number) for number in range(1, 801)] + ["end"]
    assert [line.text for line in whole if line.stream == "stdout"] == expected
    assert [line.text for line in whole if line.stream == "stderr"] == ["err"]
    for cut in (0, 1, 399, 400, 555, 801):
        rest = [line async for line in runtime.logs(name, after=whole[cut].position)]
        assert rest == whole[cut + 1 :]


async def test_a_long_line_stays_one_line(runtime: Runtime):
    name = runtime.name("test", "long")
    await runtime.ensure(name, shell("seq -s ä 1 20000; echo next"))
    await runtime.start(name)
    lines = [line.text async for line in runtime.logs(name)]
    assert lines == ["ä".join(map(str, range(1, 20001))), "next"]
    assert await runtime.last_lines(name, 1) == ["next"]


async def test_a_terminal_has_logs_too(runtime: Runtime):
    name = runtime.name("test", "tty")
    await runtime.ensure(name, shell("echo one; echo two", Tty=True))
    await runtime.start(name)
    assert [line.text async for line in runtime.logs(name)] == ["one", "two"]


async def test_events_wake_topics_and_listeners_also_when_docker_was_away(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(events, "RETRY_SECONDS", 0.05)
    name, topics, seen = runtime.name("test", "events"), [], asyncio.Queue()
    line = Line()
    server = await asyncio.start_unix_server(line.join, tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    watcher = Runtime(runtime.engine_id, topics.append)
    watcher.listen(seen.put_nowait)
    watcher.watch()
    assert (await asyncio.wait_for(seen.get(), 5)).action == "connected"
    line.cut()
    assert (await asyncio.wait_for(seen.get(), 5)).action == "connected"
    await runtime.ensure(name, shell("exit 4"), {"homeport.service": "test"})
    await runtime.start(name)
    told = [await asyncio.wait_for(seen.get(), 5) for _ in range(3)]
    await watcher.close()
    line.cut()
    server.close()
    assert [event.action for event in told] == ["create", "start", "die"]
    assert told[-1].exit_code == 4 and told[-1].labels["homeport.service"] == "test"
    assert topics == [f"docker:{name}"] * 3


class Line:
    """The way to Docker, which can be cut."""

    def __init__(self) -> None:
        self._joined: list[asyncio.StreamWriter] = []

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection("/var/run/docker.sock")
        self._joined += [writer, there[1]]
        with contextlib.suppress(OSError):
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    def cut(self) -> None:
        for writer in self._joined:
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)


async def test_a_command_inside_reads_writes_and_ends(runtime: Runtime):
    name = runtime.name("test", "exec")
    await runtime.ensure(name, shell("sleep 60"))
    await runtime.start(name)
    run = await runtime.exec(
        name, ["sh", "-c", "read line; echo got $line $WHO; exit 5"], environment={"WHO": "me"}
    )
    await run.write(b"hello\n")
    assert b"".join([piece async for piece in run.output()]) == b"got hello me\n"
    assert await run.exit_code() == 5
    await run.close()
    stats = await runtime.stats(name)
    assert stats["memory_stats"]["usage"] > 0


@pytest.mark.parametrize(
    ("image", "reason"),
    [("127.0.0.1:1/app:v1", "unreachable"), ("no-such-host.invalid/app:v1", "unreachable")],
)
async def test_a_failed_pull_says_why(runtime: Runtime, image: str, reason: str):
    with pytest.raises(PullFailed) as failed:
        await runtime.images.pull(image)
    assert failed.value.reason == reason


async def test_the_networks_lead_to_the_host_also_when_they_were_removed(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
):
    network = await runtime.network()
    listeners = [await asyncio.start_server(_greet, host, 0) for host in (network.gateway, "169.254.170.2")]
    monkeypatch.setattr(networks, "_LOOK_SECONDS", 0.0)
    await asyncio.to_thread(subprocess.run, ["docker", "network", "rm", network.name], check=True)
    assert await runtime.network() == network
    for listener in listeners:
        host, port = listener.sockets[0].getsockname()
        name = runtime.name("test", "reach", host)
        config = shell(f"nc {host} {port}", HostConfig={"NetworkMode": network.name})
        await runtime.ensure(name, config)
        await runtime.start(name)
        assert [line.text async for line in runtime.logs(name)] == ["hello"]
        listener.close()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello\n")
    writer.close()
    await writer.wait_closed()


async def test_without_docker_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    runtime = Runtime("00000000")
    with pytest.raises(
        DockerUnavailable, match=r"Docker does not answer .*Install and start the Docker Engine"
    ):
        await runtime.ping()
    await runtime.close()
