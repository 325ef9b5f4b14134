"""Every command for programs: `--output json` is one JSON value with stable names, and errors are on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from homeport.cli.environment import variables
from homeport.cli.main import VERBS, app
from homeport.pytest_plugin import RunningEngine
from tests.cli.conftest import Run
from tests.codepipeline.pipelines import (
    BUCKET,
    approval,
    codecommit_source,
    declaration,
    put,
    role,
    s3_deploy,
)
from tests.waiting import until

OTHERS = {"demo": "a story for people", "exec": "the program's own output", "docker": "docker's own output"}
"""Commands without `--output`, and why."""
NEEDED = {
    "engine start": ["--detach"],
    "advisories add": ["none.json"],
    "advisories sync": ["--from", "file:///-"],
}
"""What else a command must be given."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command, with its name as it is typed."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for verb in VERBS:
        command: Any = root.get_command(typer.Context(root), verb)
        if isinstance(command, TyperGroup):
            yield from ((f"{verb} {name}", each) for name, each in command.commands.items())
        else:
            yield verb, command


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_command_without_engine_or_manifest_says_so_on_stderr_only(
    name: str, homeport: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = dict(commands())[name]
    assert ("output" in {each.name for each in command.params}) == (name not in OTHERS)
    if name in (*OTHERS, "engine start"):
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("HOMEPORT_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    done = homeport(*name.split(), *NEEDED.get(name, []), "--output", "json")

    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not done.stdout or json.loads(done.stdout) is not None
    assert bool(done.stdout or done.stderr)
    assert done.exit_code in (0, 1, 2)
    if done.exit_code and name != "doctor":
        assert len(done.stderr.strip()) > 20, "what, where, and how to mend it"


def test_what_commands_tell_programs(
    engine: RunningEngine, homeport: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEPORT_DATA", str(engine.data))
    monkeypatch.chdir(tmp_path)
    _pipeline(engine)
    (tmp_path / "advisory.json").write_text('{"id": "X-1", "modified": "2026-01-01T00:00:00Z"}')
    told: set[str] = set()

    def tells(words: str, names: str, status: int = 0) -> dict[str, Any]:
        done = homeport(*words.split(), "--output", "json")
        assert done.exit_code == status, (words, done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        assert set(found) == set(names.split()), words
        told.add(next(name for name, _ in commands() if words.startswith(name)))
        return found

    tells("init", "files")
    tells("manifest", "$schema $defs additionalProperties properties required title type description")
    tells("validate", "valid app environments strategy findings")
    tells("synth", "AWSTemplateFormatVersion Description Parameters Resources Outputs")
    tells("diff", "stack changes")
    tells("deploy", "stack outputs")
    app = tmp_path.name.replace("_", "-")[:32]
    tells(f"open {app}", "url")
    tells(f"permissions {app}", "stack window notes roles")
    tells("cost", "stack region currency monthly items not_estimated assumptions savings prices")
    until(lambda: _waits(homeport))
    status = tells(
        "status web",
        "pipeline id status started seconds trigger revision message actions deployments",
    )
    assert " ".join(status["actions"][0]) == (
        "stage name provider status started ended seconds summary external_id external_url log"
    )
    tells("reject web", "pipeline stage action")
    until(lambda: homeport("status", "web").output, lambda text: "Failed" in text)
    tells("retry web", "pipeline execution stage")
    until(lambda: _waits(homeport))
    tells("stop web --abandon", "pipeline execution abandon")
    until(lambda: homeport("status", "web").output, lambda text: "Stopped" in text)
    first = tells("start web", "pipeline execution")["execution"]
    until(lambda: _waits(homeport))
    tells("approve web", "pipeline stage action")
    until(lambda: homeport("status", "web").output, lambda text: "web  Succeeded" in text)
    tells(f"rollback web --to {first}", "pipeline stage target execution")
    lines = homeport("logs", "web", "--execution", first, "-o", "json").stdout.splitlines()
    assert {frozenset(json.loads(line)) for line in lines} <= {frozenset(("action", "line"))}
    tells(f"doctor {app}", "troubles not_checked", status=1)  # nothing was pushed yet
    tells("destroy --yes", "stack kept")
    tells("advisories add advisory.json", "advisories")
    tells("advisories list", "files")
    tells("advisories sync Go --from file:///-", "advisories failed", status=1)
    tells("engine start --detach", "url pid account region auth")
    facts = json.loads((engine.data / "engine.json").read_text())
    tells("engine env", " ".join([*variables(facts), "CDK_DOCKER"]))
    tells("engine status", _STATUS)
    tells("engine logs", "file lines")
    assert set(_console(engine)) == {"url"}
    tells("engine reset --yes", "url empty")

    elsewhere = {
        "logs",
        "console",
        "engine stop",
        *OTHERS,
    }  # looked at above, or the end of the test's engine
    assert told | elsewhere == {name for name, _ in commands()}


_STATUS = "url id pid data account region auth services uptime_seconds memory_bytes"


def _pipeline(engine: RunningEngine) -> None:
    """A pipeline `web` of a source, an approval and a deployment."""
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    stages = [("Source", codecommit_source()), ("Approve", approval()), ("Deploy", s3_deploy())]
    engine.client("codepipeline").create_pipeline(pipeline=declaration("web", role(engine), *stages))


def _waits(homeport: Run) -> bool:
    found = homeport("status", "web", "--output", "json")
    actions = json.loads(found.stdout)["actions"] if found.exit_code == 0 else []
    return any(each["name"] == "Approve" and each["status"] == "InProgress" for each in actions)


def _console(engine: RunningEngine) -> dict[str, Any]:
    """What the console tells as it begins."""
    words = ["console", "web", "--no-open", "--port", "0", "--output", "json"]
    command = [sys.executable, "-c", "from homeport.cli import command; command()", *words]
    with subprocess.Popen(command, env=engine.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found: dict[str, Any] = json.loads("".join(process.stdout.readline() for _ in range(3)))
        process.terminate()
    return found
