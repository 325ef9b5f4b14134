"""What a person may do on the page: the functions of the commands, on exactly what the page showed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeport.cli import approvals, codedeploy, deployments, pipelines
from homeport.cli.target import Target

Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done: the names of what it needs, and what it says afterwards."""

    needs: tuple[str, ...]
    do: Callable[[Target, Fields], str]


def _start(target: Target, given: Fields) -> str:
    started = pipelines.start(target.client("codepipeline"), given["pipeline"])
    return f"{given['pipeline']} runs as {started}."


def _stop(target: Target, given: Fields) -> str:
    reason = given.get("comment") or "stopped in the console"
    abandon = given.get("abandon") == "yes"
    pipelines.stop(target.client("codepipeline"), given["pipeline"], given["execution"], reason, abandon)
    return f"{given['pipeline']} {'abandons what runs, and stops' if abandon else 'stops after what runs'}."


def _retry(target: Target, given: Fields) -> str:
    client = target.client("codepipeline")
    pipelines.retry(client, given["pipeline"], given["execution"], given["stage"])
    return f"{given['pipeline']}: the stage {given['stage']} runs again."


def _approve(target: Target, given: Fields) -> str:
    return _answer(target, given, "Approved")


def _reject(target: Target, given: Fields) -> str:
    return _answer(target, given, "Rejected")


def _answer(target: Target, given: Fields, result: str) -> str:
    approval = approvals.Approval(given["pipeline"], given["stage"], given["action"], given["token"], "")
    comment = given.get("comment") or f"{result.lower()} in the console"
    approvals.answer(target.client("codepipeline"), approval, result, comment)
    return f"{given['stage']}/{given['action']} is {result.lower()}."


def _go_back(target: Target, given: Fields) -> str:
    client = target.client("codepipeline")
    execution = pipelines.go_back(client, given["pipeline"], given["stage"], given["execution"])
    return f"{given['stage']} goes back, as the execution {execution}."


def _take_back(target: Target, given: Fields) -> str:
    if given["controller"] == "CODE_DEPLOY":
        codedeploy.take_back(target.client("codedeploy"), given["deployment"])
    else:
        deployments.take_back(target.client("ecs"), given["deployment"])
    return "The deployment goes back."


def _go_on(target: Target, given: Fields) -> str:
    deployments.go_on(target.client("ecs"), given["deployment"], given["hook"])
    return "The deployment goes on."


ACTS: dict[str, Act] = {
    "start": Act(("pipeline",), _start),
    "stop": Act(("pipeline", "execution"), _stop),
    "retry": Act(("pipeline", "execution", "stage"), _retry),
    "approve": Act(("pipeline", "stage", "action", "token"), _approve),
    "reject": Act(("pipeline", "stage", "action", "token"), _reject),
    "go-back": Act(("pipeline", "stage", "execution"), _go_back),
    "take-back": Act(("deployment", "controller"), _take_back),
    "go-on": Act(("deployment", "hook"), _go_on),
}


class Incomplete(Exception):
    """What was asked for is not whole."""


def act(target: Target, name: str, given: Any) -> str:
    """Do it, and say so. Raises Incomplete for what is missing or was not confirmed, and what boto3 raises."""
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise Incomplete("An object of texts is expected.")
    if missing := [each for each in ACTS[name].needs if not given.get(each)]:
        raise Incomplete(f"{', '.join(missing)}: missing.")
    if given.get("confirmed") != "yes":
        raise Incomplete("It was not confirmed.")
    return ACTS[name].do(target, given)
