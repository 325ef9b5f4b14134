"""The files by which a build's container knows what to do: the agent, its plan, the variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from homeport.engine.services.codebuild.phases import PlannedPhase

AGENT = Path(__file__).with_name("agent.sh")
DOCKER = Path(__file__).with_name("docker.sh")
INNER_RUNTIME = Path(__file__).with_name("inner_runtime.py")


def plan_files(
    phases: Iterable[PlannedPhase],
    *,
    nonce: str,
    shell: str,
    one_shell: bool,
    exported: Iterable[str],
    names: Sequence[str] = (),
    docker: Sequence[str] | None,
    inner: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The files below /codebuild/readonly by their names. `names` are texts that the build's shell is to
    expand; `docker` are the options of the build's own Docker daemon,
    None for a build without one; `inner` are the variables that the containers of that Docker get."""
    files = {
        "agent.sh": AGENT.read_text(),
        "plan/nonce": f"{nonce}\n",
        "plan/shell": f"{shell}\n",
        "plan/one-shell": "yes\n" if one_shell else "no\n",
        "plan/exported": "".join(f"{name}\n" for name in exported),
    }
    files |= {f"plan/names/{number}": name for number, name in enumerate(names)}
    if docker is not None:
        files |= {"docker.sh": DOCKER.read_text(), "plan/docker": " ".join(docker) + "\n"}
    if docker is not None and inner:
        files |= {"inner_runtime.py": INNER_RUNTIME.read_text()}
        files |= {"plan/inner": "".join(f"{name}={value}\n" for name, value in inner.items())}
    for phase in phases:
        files |= {
            f"plan/{phase.name}/after-failure": f"{phase.after_failure}\n",
            f"plan/{phase.name}/retries": f"{phase.retries}\n",
            f"plan/{phase.name}/run-as": f"{phase.run_as}\n",
            f"plan/{phase.name}/pattern": phase.pattern,
        }
        parts = {"commands": phase.commands, "finally": phase.finally_}
        for part, commands in parts.items():
            for number, command in enumerate(commands):
                files[f"plan/{phase.name}/{part}/{number:04}"] = command
    return files
