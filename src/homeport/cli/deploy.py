"""`homeport diff | deploy | destroy`: from homeport.yml to a running stack, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from homeport.cli import changes, git, kept, stacks, view
from homeport.cli.address import address_of
from homeport.cli.output import Output, OutputOption, confirm, console, tell
from homeport.cli.project import DEFAULT, FileOption, load, template_text
from homeport.cli.target import CannotReach, Target, TargetName
from homeport.cli.verb import verb
from homeport.manifest.model import Manifest
from homeport.stack.service import prefix

out = console()

_COLORS = {"COMPLETE": "green", "FAILED": "red", "PROGRESS": "cyan"}


@verb
def diff(target: Target, file: FileOption = DEFAULT, output: OutputOption = Output.table) -> None:
    """Show what a deployment would change, resource by resource. Nothing is changed."""
    manifest = kept.with_kept_repository(target, load(file))
    cloudformation = target.client("cloudformation")
    template = template_text(manifest, file)
    found = changes.preview(cloudformation, manifest.app, template, _parameters(target, manifest))
    _show(found, manifest.app, output)
    if found and output is Output.table and stacks.template(cloudformation, manifest.app) == template:
        out.print(
            "\nhomeport.yml is as it was deployed. These changes only write down what releases have brought since: "
            "the image, and the number of tasks.",
            style="bright_black",
        )


@verb
def deploy(
    target: Target,
    file: FileOption = DEFAULT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change set and stop.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before changing an AWS account.")
    ] = False,
    remote: Annotated[
        bool, typer.Option("--remote/--no-remote", help="Let this repository push there: git push homeport.")
    ] = True,
    output: OutputOption = Output.table,
) -> None:
    """Deploy the stack of homeport.yml. From then on `git push homeport` releases."""
    manifest = kept.with_kept_repository(target, load(file))
    template = template_text(manifest, file)
    cloudformation = target.client("cloudformation")
    parameters = _parameters(target, manifest)
    if manifest.source.existing:
        _asked_clone_url(target, manifest)
    if dry_run or (target.name is TargetName.aws and not yes):
        found = changes.preview(cloudformation, manifest.app, template, parameters)
        _show(found, manifest.app, output)
        if dry_run or not found:
            return
        account = target.client("sts").get_caller_identity()["Account"]
        confirm(f"Make these changes in the account {account}?")
    began = time.monotonic()
    outputs = _deploy(cloudformation, manifest, template, parameters)
    if output is Output.json:
        if remote and git.root(file.parent) and (clone := clone_url(target, manifest, outputs)):
            git.add_remote(file.parent, clone, manifest.source.branch, target)
        tell(output, "", stack=manifest.app, outputs=outputs)
        return
    out.print(f"[green]✓[/] {manifest.app} is deployed ({view.seconds(time.monotonic() - began)}).")
    _next_steps(target, manifest, outputs, file.parent if remote else None)


@verb
def destroy(
    target: Target,
    file: FileOption = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Delete the stack. What holds code or artifacts is kept: the repository and the bucket."""
    manifest = load(file)
    if not yes:
        confirm(f"Delete the stack {manifest.app} ({target.name}) and all its resources?")
    cloudformation = target.client("cloudformation")
    left: list[dict[str, str]] = []

    def note(event: stacks.Event) -> None:
        if event["ResourceStatus"] == "DELETE_SKIPPED":
            left.append(kept.described(manifest, event))

    try:
        stacks.delete(cloudformation, manifest.app, note)
    except stacks.DeployFailed as error:
        raise CannotReach(f"{manifest.app} was not deleted: {error}") from None
    lines = [
        f"  {each['type'].rpartition('::')[2].lower()} {each['name']}: {each['becomes']}" for each in left
    ]
    sentence = "\n".join([f"{manifest.app} is deleted.{' Kept:' if left else ''}", *lines])
    tell(output, sentence, stack=manifest.app, kept=left)


def _show(found: list[dict[str, Any]], app: str, output: Output) -> None:
    """What would change."""
    if output is Output.json:
        tell(output, "", stack=app, changes=found)
    else:
        out.print(changes.table(found) if found else f"{app}: nothing to change.")


def _deploy(
    cloudformation: Any, manifest: Manifest, template: str, parameters: dict[str, str]
) -> dict[str, str]:
    shown: dict[str, stacks.Event] = {}
    with Live(console=out, refresh_per_second=8, transient=True) as live:

        def note(event: stacks.Event) -> None:
            shown[event["LogicalResourceId"]] = event
            live.update(_progress(shown))

        try:
            tags = {kept.TAG: manifest.app}
            return stacks.deploy(cloudformation, manifest.app, template, parameters, tags, note)
        except stacks.DeployFailed as error:
            live.update("")
            raise CannotReach(f"{manifest.app} was not deployed, and is as it was before. {error}") from None


def _progress(shown: dict[str, stacks.Event]) -> Table:
    """The resources that something happens to, the newest last, and how many are done."""
    table = Table(show_header=False, box=None, padding=(0, 1))
    done = sum(event["ResourceStatus"].endswith("_COMPLETE") for event in shown.values())
    for name, event in list(shown.items())[-12:]:
        status = event["ResourceStatus"]
        color = _COLORS.get(status.rpartition("_")[2], "white")
        table.add_row(f"[{color}]{status}[/]", name, f"[bright_black]{event['ResourceType']}[/]")
    table.add_row("", f"{done} of {len(shown)} done", "")
    return table


def _parameters(target: Target, manifest: Manifest) -> dict[str, str]:
    """The images and the numbers of tasks that run now, so that a deployment of the stack changes neither. None for
    what is not there yet."""
    if manifest.override.template:
        return {}
    cloudformation, ecs = target.client("cloudformation"), target.client("ecs")
    try:
        outputs = stacks.outputs(cloudformation, manifest.app)
    except cloudformation.exceptions.ClientError:
        return {}
    found: dict[str, str] = {}
    for environment in manifest.environments:
        own = prefix(manifest, environment)
        if f"{own}ServiceName" not in outputs:
            continue
        services = ecs.describe_services(
            cluster=outputs["ClusterName"], services=[outputs[f"{own}ServiceName"]]
        )["services"]
        if not services:
            continue
        found[f"{own}DesiredCount"] = str(services[0]["desiredCount"])
        definition = ecs.describe_task_definition(taskDefinition=services[0]["taskDefinition"])[
            "taskDefinition"
        ]
        images = {each["name"]: each["image"] for each in definition["containerDefinitions"]}
        if manifest.container in images:
            found[f"{own}Image"] = images[manifest.container]
    return found


def clone_url(target: Target, manifest: Manifest, outputs: dict[str, str]) -> str | None:
    """Where to push; None for a repository that is not CodeCommit's. At home the engine is asked: the stack's output
    has the port that the engine had when the repository was made."""
    made = outputs.get("CloneUrl")
    if manifest.source.existing or (made and target.name is TargetName.local):
        return _asked_clone_url(target, manifest)
    return made


def _asked_clone_url(target: Target, manifest: Manifest) -> str:
    """Where to push what another stack has made, or somebody by hand. Raises CannotReach when it is not there."""
    name = kept.repository(manifest)
    codecommit = target.client("codecommit")
    try:
        found = codecommit.get_repository(repositoryName=name)
    except codecommit.exceptions.RepositoryDoesNotExistException:
        raise CannotReach(
            f"source.existing: there is no CodeCommit repository {name}. Deploy the application that makes it first, "
            "or leave `existing` out, and this one makes it."
        ) from None
    return str(found["repositoryMetadata"]["cloneUrlHttp"])


def _next_steps(target: Target, manifest: Manifest, outputs: dict[str, str], folder: Path | None) -> None:
    branch = manifest.source.branch
    clone = clone_url(target, manifest, outputs)
    if clone and folder is not None and git.root(folder):
        plain = git.add_remote(folder, clone, branch, target)
        if left := git.uncommitted(folder, "homeport.yml", "Dockerfile", ".dockerignore"):
            out.print(f"Commit first, or the build does not see it: {', '.join(left)}", style="yellow")
        _tell("Release", f"git push{'' if plain else f' {git.REMOTE}'}")
    elif clone and folder is not None:
        out.print("This folder is no git repository yet. Make it one, and homeport lets it push:")
        _tell("Begin", f"git init --initial-branch {branch} && git add . && git commit -m 'Begin'")
        _tell("Then", f"homeport deploy{target.words}")
        return
    elif clone:
        _tell("Once", "git config credential.helper '!aws codecommit credential-helper $@'")
        _tell("", "git config credential.UseHttpPath true")
        _tell("Release", f"git push {clone} HEAD:{branch}")
    elif manifest.source.provider == "connection":
        out.print("A new connection waits for your consent in the console: Developer Tools, Connections.")
        _tell("Release", f"push to {manifest.source.repository}, branch {branch}")
    _tell("Follow", f"homeport status {manifest.app} --watch{target.words}")
    for environment in manifest.environments if not manifest.override.template else ():
        several = len(manifest.environments) > 1
        address = address_of(target, manifest.app, environment if several else None)
        _tell(f"{environment.capitalize()}" if several else "Site", address)


def _tell(what: str, how: str) -> None:
    """A step, in one line however long it is, so that it can be copied."""
    out.print(f"  [bright_black]{what:<9}[/]", end="")
    out.print(how, markup=False, soft_wrap=True)
