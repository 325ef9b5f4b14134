"""The verbs on a pipeline: status, logs, start, stop, retry, rollback, approve, reject, open.

Each is a boto3 client of CodePipeline's API, and works on AWS unchanged.
"""

from __future__ import annotations

import json
import time
import webbrowser
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from homeport.cli import approvals, codedeploy, deployments, git, pipelines, view
from homeport.cli.logs import LogFollower
from homeport.cli.output import Output, OutputOption, console, tell
from homeport.cli.project import DEFAULT, load, stack_name
from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb

out = console()

PUSH_SECONDS = 10.0

Pipeline = Annotated[
    str | None,
    typer.Argument(help="Its name; without it that of homeport.yml, or the only one that there is."),
]
ExecutionId = Annotated[
    str | None, typer.Option("--execution", help="An execution; the newest when none is named.")
]


@verb
def status(
    target: Target,
    pipeline: Pipeline = None,
    execution: ExecutionId = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it until it ends.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show how far a pipeline's newest execution is. Stages, actions, durations, commit, the reason when it failed."""
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    if watch and execution is None:
        _await_push(client, name)
    shown = _read(client, name, execution)
    declared = client.get_pipeline(name=name)["pipeline"]
    if output is Output.json:
        under_way = _under_way(target, declared)
        print(json.dumps({**view.as_json(shown), "deployments": view.as_json(under_way)}, indent=2))
        return
    if not watch:
        out.print(_picture(target, shown, declared))
        return
    with Live(console=out, refresh_per_second=8) as live:
        while not shown.final:
            live.update(_picture(target, shown, declared))
            time.sleep(0.5)
            shown = _read(client, name, shown.id)
        live.update(_picture(target, shown, declared))
    raise typer.Exit(0 if shown.status == "Succeeded" else 1)


def _await_push(client: Any, name: str) -> None:
    """Wait a little until what was pushed from here has become an execution: a watch that begins with the push would
    tell how the last one ended."""
    if not DEFAULT.exists() or load(DEFAULT).app != name or not (commit := git.pushed(DEFAULT.parent)):
        return
    deadline = time.monotonic() + PUSH_SECONDS
    while pipelines.latest(client, name, commit) is None and time.monotonic() < deadline:
        time.sleep(0.5)


def _picture(target: Target, shown: pipelines.Execution, declared: dict[str, Any]) -> RenderableType:
    """The execution, and the deployments of its services that are under way."""
    under_way = _under_way(target, declared)
    return Group(view.execution(shown), *(view.deployment(each) for each in under_way))


def _under_way(
    target: Target, declared: dict[str, Any], stage: str | None = None
) -> list[deployments.Deployment]:
    """The deployments of the pipeline's actions, or of one stage's."""
    found = [
        deployments.running(target.client("ecs"), *service)
        for service in deployments.services_of(declared, stage)
    ]
    found += [
        codedeploy.running(target.client("codedeploy"), *group)
        for group in codedeploy.groups_of(declared, stage)
    ]
    return [each for each in found if each]


@verb
def logs(
    target: Target,
    pipeline: Pipeline = None,
    execution: ExecutionId = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution ends.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show what the actions of an execution wrote. Build logs and deployment events; as JSON, an object a line."""
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    shown = _read(client, name, execution)
    follower = LogFollower(target, name)
    while True:
        final = shown.final
        for action, line in follower.fresh(shown):
            if output is Output.json:
                print(json.dumps({"action": action, "line": line.rstrip("\n")}), flush=True)
                continue
            told = Text.assemble((f"{action:>12} ", "bright_black"), line.rstrip("\n"))
            out.print(told, soft_wrap=True)  # a line of a log stays one: it is copied and searched
        if final or not follow:
            return
        time.sleep(0.5)
        shown = _read(client, name, shown.id)


@verb
def start(
    target: Target,
    pipeline: Pipeline = None,
    commit: Annotated[
        str | None, typer.Option(help="A commit to build instead of the branch's newest.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Start an execution by hand."""
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    started = pipelines.start(client, name, commit)
    sentence = f"{name} runs as {started}. Follow it:  homeport status {name} --watch{target.words}"
    tell(output, sentence, pipeline=name, execution=started)


@verb
def stop(
    target: Target,
    pipeline: Pipeline = None,
    execution: ExecutionId = None,
    abandon: Annotated[bool, typer.Option(help="Do not wait for the actions that run.")] = False,
    reason: Annotated[
        str, typer.Option(help="Why; it stands in the execution's history.")
    ] = "stopped by hand",
    output: OutputOption = Output.table,
) -> None:
    """Stop an execution. Actions that run may finish, unless they are abandoned."""
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    shown = _read(client, name, execution)
    pipelines.stop(client, name, shown.id, reason, abandon)
    tell(output, f"{name} {shown.id} is stopping.", pipeline=name, execution=shown.id, abandon=abandon)


@verb
def retry(
    target: Target,
    pipeline: Pipeline = None,
    execution: ExecutionId = None,
    all_actions: Annotated[
        bool, typer.Option("--all", help="All actions of the stage, not the failed only.")
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """Run the failed stage of an execution again."""
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    shown = _read(client, name, execution)
    failed = shown.failure
    if failed is None:
        raise CannotReach(
            f"No action of the execution {shown.id} of {name} has failed: it is {shown.status}. "
            f"Run the newest commit:  homeport start {name}{target.words}"
        )
    pipelines.retry(client, name, shown.id, failed.stage, all_actions)
    sentence = f"{name}: the stage {failed.stage} runs again. Follow it:  homeport status {name} --watch{target.words}"
    tell(output, sentence, pipeline=name, execution=shown.id, stage=failed.stage)


@verb
def rollback(
    target: Target,
    pipeline: Pipeline = None,
    stage: Annotated[
        str | None, typer.Option(help="The stage to take back; the last when none is named.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="The execution to go back to; the last good before this.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Take back the deployment that is under way. When there is none, deploy again what an earlier execution did."""
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    declared = client.get_pipeline(name=name)["pipeline"]
    if to is None and _stop_deployments(target, _under_way(target, declared, stage), output):
        return
    stages = [each["name"] for each in declared["stages"]]
    stage = stage or stages[-1]
    if stage not in stages:
        raise CannotReach(f"{name} has no stage {stage}: there are {', '.join(stages)}.")
    goal = to or _last_good(client, name, stage)
    execution = pipelines.go_back(client, name, stage, goal)
    sentence = (
        f"{name}: {stage} goes back to what the execution {goal} deployed, as {execution}. "
        f"Follow it:  homeport status {name} --watch{target.words}"
    )
    tell(output, sentence, pipeline=name, stage=stage, target=goal, execution=execution)


def _stop_deployments(target: Target, under_way: list[deployments.Deployment], output: Output) -> bool:
    """Roll back the deployments that are under way; False when none is."""
    said = []
    for each in under_way:
        if each.status in deployments.STOPPABLE:
            if each.controller == "CODE_DEPLOY":
                codedeploy.take_back(target.client("codedeploy"), each.arn)
            else:
                deployments.take_back(target.client("ecs"), each.arn)
            said.append(f"{each.service}: the deployment in the stage {each.stage} goes back.")
        else:
            said.append(f"{each.service}: the deployment goes back already ({each.status}).")
    if under_way:
        tell(output, "\n".join(said), deployments=[each.arn for each in under_way])
    return bool(under_way)


@verb
def approve(
    target: Target,
    pipeline: Pipeline = None,
    comment: Annotated[
        str, typer.Option("--comment", "-m", help="Why; it stands in the history.")
    ] = "approved",
    output: OutputOption = Output.table,
) -> None:
    """Approve the approval that a pipeline waits for."""
    _answer(target, pipeline, "Approved", comment, output)


@verb
def reject(
    target: Target,
    pipeline: Pipeline = None,
    comment: Annotated[
        str, typer.Option("--comment", "-m", help="Why; it stands in the history.")
    ] = "rejected",
    output: OutputOption = Output.table,
) -> None:
    """Reject the approval that a pipeline waits for."""
    _answer(target, pipeline, "Rejected", comment, output)


@verb
def open_(
    target: Target,
    stack: Annotated[
        str | None,
        typer.Argument(help="The stack whose service to open; the app of homeport.yml without it."),
    ] = None,
    environment: Annotated[str | None, typer.Option(help="Which, where the stack has several.")] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Print the address instead of opening a browser.")
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """Open the service of a stack in a browser."""
    from homeport.cli.address import address_of

    address = address_of(target, stack_name(stack, DEFAULT), environment)
    if show or output is Output.json or not webbrowser.open(address):
        tell(output, address, url=address)


def _name(client: Any, pipeline: str | None) -> str:
    if pipeline:
        try:
            return str(client.get_pipeline(name=pipeline)["pipeline"]["name"])
        except client.exceptions.PipelineNotFoundException:
            raise CannotReach(
                f"There is no pipeline {pipeline}: {_known(pipelines.names(client))}."
            ) from None
    names = pipelines.names(client)
    if DEFAULT.exists():
        own = load(DEFAULT)
        if own.app in names:
            return own.app
        if not own.override.template:
            raise CannotReach(f"{own.app} has no pipeline here yet: homeport deploy makes it.")
    if len(names) == 1:
        return names[0]
    raise CannotReach(f"Name a pipeline: {_known(names)}.")


def _known(names: list[str]) -> str:
    return f"there are {', '.join(names)}" if names else "there is none yet (homeport deploy makes one)"


def _read(client: Any, name: str, execution: str | None) -> pipelines.Execution:
    found = execution or pipelines.latest(client, name)
    if found is None:
        raise CannotReach(f"{name} has not run yet. Push a commit, or:  homeport start {name}")
    return pipelines.read(client, name, found)


def _last_good(client: Any, name: str, stage: str) -> str:
    """The execution before the newest successful one that succeeded in the stage."""
    page = client.list_pipeline_executions(
        pipelineName=name, filter={"succeededInStage": {"stageName": stage}}, maxResults=10
    )
    good = [
        each["pipelineExecutionId"]
        for each in page["pipelineExecutionSummaries"]
        if each.get("executionType") != "ROLLBACK"
    ]
    current = client.list_pipeline_executions(pipelineName=name, maxResults=1)["pipelineExecutionSummaries"]
    newest = current[0]["pipelineExecutionId"] if current else ""
    older = [each for each in good if each != newest]
    if not older:
        raise CannotReach(f"No earlier execution of {name} succeeded in the stage {stage}")
    return older[0]


def _answer(target: Target, pipeline: str | None, result: str, comment: str, output: Output) -> None:
    client = target.client("codepipeline")
    name = _name(client, pipeline)
    found = approvals.waiting(client, name)
    if not found:
        raise CannotReach(
            f"{name} does not wait for an approval. What it does:  homeport status {name}{target.words}"
        )
    approvals.answer(client, found[0], result, comment)
    sentence = f"{name}: {found[0].stage}/{found[0].action} is {result.lower()}."
    tell(output, sentence, pipeline=name, stage=found[0].stage, action=found[0].action)
