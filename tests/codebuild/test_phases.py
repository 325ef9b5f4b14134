"""Which phases run: the rule in Python, and the agent that carries it out, say the same."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeport.engine.services.codebuild.buildspec import PHASES, parse
from homeport.engine.services.codebuild.phases import outcome, plan


def spec(**on_failure):
    lines = [f"  {name}:\n    on-failure: {word}\n    commands: [make]" for name, word in on_failure.items()]
    return parse("version: 0.2\nphases:\n" + "\n".join(lines or ["  build: {}"]))


def test_post_build_runs_after_a_failed_build_and_knows_of_it():
    result = outcome(plan(spec()), {"BUILD": 1})

    assert result.ran == (("INSTALL", True), ("PRE_BUILD", True), ("BUILD", False), ("POST_BUILD", True))
    assert dict(result.succeeding)["POST_BUILD"] is False
    assert not result.succeeded


def test_a_failed_install_ends_the_build():
    assert outcome(plan(spec()), {"INSTALL": 1}).ran == (("INSTALL", False),)


def test_abort_keeps_post_build_from_running():
    assert outcome(plan(spec(build="ABORT")), {"BUILD": 1}).ran[-1] == ("BUILD", False)


def test_continue_forgives():
    result = outcome(plan(spec(pre_build="CONTINUE")), {"PRE_BUILD": 1})

    assert result.succeeded
    assert len(result.ran) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    words=st.dictionaries(
        st.sampled_from(PHASES), st.sampled_from(["ABORT", "CONTINUE", "RETRY-2", "RETRY-1-.*"])
    ),
    fails=st.dictionaries(st.sampled_from(PHASES), st.integers(0, 3)),
)
def test_the_agent_does_what_the_rule_says(tmp_path_factory, words, fails):
    folder = tmp_path_factory.mktemp("agent")
    phases = plan(spec(**words))
    told = run_agent(folder, phases, fails)
    expected = outcome(phases, {name.upper(): count for name, count in fails.items()})

    ends = tuple((line.split()[1], line.split()[2] == "SUCCEEDED") for line in told if line.startswith("end"))
    assert ends == expected.ran
    assert told[-1] == f"done {int(expected.succeeded)}"


def run_agent(folder: Path, phases, fails: dict[str, int]) -> list[str]:
    """Run the agent with its folders elsewhere; each phase's command fails as many times as it is told."""
    from homeport.engine.services.codebuild.plan import AGENT, plan_files

    top, output = folder / "codebuild/readonly", folder / "codebuild/output/tmp"
    output.mkdir(parents=True)
    for phase in phases:
        (folder / phase.name).write_text(str(fails.get(phase.name.lower(), 0)))
    replaced = [
        phase.__class__(
            phase.name,
            (f'n=$(cat {folder}/{phase.name}); echo $((n - 1)) >{folder}/{phase.name}; [ "$n" -le 0 ]',),
            *(phase.finally_, phase.run_as, phase.after_failure, phase.retries, phase.pattern),
        )
        for phase in phases
    ]
    files = plan_files(replaced, nonce="n0nce", shell="/bin/sh", one_shell=True, exported=(), docker=None)
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    (output / "env.sh").write_text("")
    (output / "dir.txt").write_text(str(folder))
    script = AGENT.read_text().replace("/codebuild/", f"{folder}/codebuild/")
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, env=dict(os.environ), timeout=30
    )
    return [line.partition(" ")[2] for line in done.stdout.split("\n") if line.startswith("\x1en0nce")]
