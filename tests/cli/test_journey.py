"""A new user's way: a repository with sources only, three commands, and the service answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.waiting import until

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_from_sources_to_users_without_a_hand_edit(engine: RunningEngine, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLES / "two-services" / "api", tmp_path / "shop"))
    environment = {**engine.env, "HOME": str(tmp_path), "HOMEPORT_DATA": str(engine.data)}

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def homeport(*words: str) -> str:
        return run(sys.executable, "-c", "from homeport.cli.main import main; main()", *words)

    def told(*words: str) -> Any:
        return json.loads(homeport(*words, "--output", "json"))

    run("git", "init", "--quiet", "--initial-branch", "trunk")
    homeport("init", "--yes")
    run("git", "add", "--all")
    run("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", "First")
    deployed = homeport("deploy")
    run("git", "push")

    assert "  git push\n" in deployed
    client = engine.client("codepipeline")
    until(lambda: client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"])
    watched = homeport("status", "--watch")
    assert "Succeeded" in watched
    host, _, port = told("open", "shop")["url"].partition("://")[2].partition(":")
    request = urllib.request.Request(f"http://127.0.0.1:{port or 80}/", headers={"Host": host})
    with urllib.request.urlopen(request) as answer:
        assert (answer.status, answer.read()) == (200, b"hello from the api")

    assert "hello from exec 8000" in homeport(
        "exec", "--enable", "shop", "--", "sh", "-c", "echo hello from exec $PORT"
    )
    states = {
        each["action"]: each["state"] for role in told("permissions")["roles"] for each in role["actions"]
    }
    assert states["ecr:PutImage"] == states["iam:PassRole"] == states["codebuild:StartBuild"] == "used"

    assert "the next deploy uses it again" in homeport("destroy", "--yes")
    homeport("deploy")
    assert told("diff")["changes"] == []
    assert states["codecommit:GetUploadArchiveStatus"] == "unseen"
    assert told("doctor", "shop") == {"troubles": [], "not_checked": {}}
    assert any("Successfully tagged" in each for each in homeport("logs", "--follow").splitlines())


def test_the_second_application_of_a_repository_uses_what_the_first_has_made(
    engine: RunningEngine, tmp_path: Path
) -> None:
    environment = {**engine.env, "HOME": str(tmp_path), "HOMEPORT_DATA": str(engine.data)}
    (tmp_path / "homeport.yml").write_text("app: web\nsource: {repository: shop, existing: true}\n")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)

    deploy = (sys.executable, "-c", "from homeport.cli.main import main; main()", "deploy")
    run("git", "init", "--quiet", "--initial-branch", "main")
    early = run(*deploy)
    stacks = engine.client("cloudformation").list_stacks()["StackSummaries"]
    url = engine.client("codecommit").create_repository(repositoryName="shop")["repositoryMetadata"][
        "cloneUrlHttp"
    ]
    deployed = run(*deploy)
    run("git", "add", "--all")
    run("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", "First")
    pushed = run("git", "push")

    assert (early.returncode, stacks) == (1, [])
    assert "source.existing: there is no CodeCommit repository shop" in early.stderr
    assert (deployed.returncode, pushed.returncode) == (0, 0), deployed.stderr + pushed.stderr
    assert run("git", "remote", "get-url", "homeport").stdout.strip() == url
    client = engine.client("codepipeline")
    until(lambda: client.list_pipeline_executions(pipelineName="web")["pipelineExecutionSummaries"])
