"""`homeport demo`: a service from its first commit to production, a second version under load, and two bad ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.request import Request, urlopen

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from homeport.cli import pipelines, stacks, view
from homeport.cli.address import listener_port
from homeport.cli.failures import explained
from homeport.cli.git import aws_command
from homeport.cli.load import LoadTest
from homeport.cli.logs import build_log
from homeport.cli.target import Target

STACK = "hello"
PORT = 4599
RATE = 200
out = Console(highlight=False)


@explained
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Where the demo keeps its engine and its repository.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of its engine; 0 takes a free one.")] = PORT,
) -> None:
    """Show a commit's way to production in a minute, with everything real."""
    began = time.monotonic()
    folder = (data or _default_folder()).expanduser().absolute()
    _title("An engine: AWS's APIs on this machine")
    _start_engine(folder / "engine", port)
    target = Target(data=folder / "engine")

    _title("The stack: network, load balancer, service, registry, build, pipeline and their roles")
    outputs = _deploy(target)
    repository = Repository(folder / "repository", outputs["CloneUrl"], target)
    site = Site(target, outputs["Url"])

    _title("A first commit: push, and nothing else")
    repository.begin()
    _push(target, repository, outputs["Pipeline"])
    out.print(f"  {outputs['Url']} answers: [green]{site.answer()}[/green]")

    _title(f"A second version under {RATE} requests a second from clients that never retry")
    repository.write("app.py", "Hello from homeport", f"Hello again, it is {time.strftime('%H:%M:%S')}")
    _push_under_load(target, repository, outputs["Pipeline"], site)
    out.print(f"  {outputs['Url']} answers: [green]{site.answer()}[/green]")

    _title("A bad commit: its tests fail, so it goes no further")
    repository.write("app.py", 'return 200, {"status": "ok"}', 'return 500, {"status": "broken"}')
    _push(target, repository, outputs["Pipeline"])
    repository.revert()

    _title("A worse one: its tests pass, but it never becomes healthy. It is taken back by itself")
    repository.write("Dockerfile", "PORT=80", "PORT=8080")
    _push_under_load(target, repository, outputs["Pipeline"], site)
    out.print(f"  {outputs['Url']} still answers: [green]{site.answer()}[/green]")
    repository.revert()

    out.print(f"\n[bold]Done in {time.monotonic() - began:.0f} s.[/bold] The engine goes on. Look around:\n")
    installed = [] if shutil.which("homeport") else [f"export PATH={Path(sys.executable).parent}:$PATH"]
    _commands(
        *installed,
        f"eval $(homeport engine env --data {target.data})",
        f"homeport status {outputs['Pipeline']}",
        f"homeport console {outputs['Pipeline']}",
        f"aws ecs describe-services --cluster {outputs['Cluster']} --services {outputs['Service']}",
        f"curl {site.hint()}",
    )
    out.print("\nStop it, or remove it whole:\n")
    _commands(
        f"homeport engine stop --data {target.data}",
        f"homeport engine reset --yes --data {target.data} && rm -r {folder}\n",
    )


def _commands(*lines: str) -> None:
    """What can be copied stays on a line of its own."""
    for line in lines:
        out.print(f"  {line}", soft_wrap=True, markup=False)


def _default_folder() -> Path:
    from homeport.engine.config import default_data

    return default_data().with_name("homeport-demo")


def _title(text: str) -> None:
    out.print(f"\n[bold cyan]▌[/bold cyan] [bold]{text}[/bold]")


def _start_engine(data: Path, port: int) -> None:
    command = [sys.executable, "-m", "homeport.cli.engine", "start", "--detach", "--data", str(data)]
    done = subprocess.run([*command, "--port", str(port)], capture_output=True, text=True)
    if done.returncode:
        out.print(done.stderr, style="red")
        raise typer.Exit(1)
    out.print("  " + done.stdout.strip().partition(" Use it")[0])


def _deploy(target: Target) -> dict[str, str]:
    template = (_example() / "template.yml").read_text()
    began = time.monotonic()
    count = 0
    progress = _Progress()
    with Live(progress, console=out, refresh_per_second=8, transient=True):

        def tell(event: stacks.Event) -> None:
            nonlocal count
            count += event["ResourceStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
            progress.show(event)

        try:
            outputs = stacks.deploy(target.client("cloudformation"), STACK, template, tell=tell, poll=0.1)
        except stacks.DeployFailed as error:
            out.print(f"  {error}", style="red")
            raise typer.Exit(1) from None
    how = f"{count} resources in {time.monotonic() - began:.1f} s" if count else "nothing to change"
    out.print(f"  stack {STACK}: {how}")
    return outputs


class _Progress:
    """The newest event of the stack, and for how long nothing has come after it."""

    def __init__(self) -> None:
        self._text = "looking at the stack"
        self._since = time.monotonic()

    def show(self, event: stacks.Event) -> None:
        """Show an event from now on."""
        self._text = f"{event['ResourceStatus']:<18}  {event['LogicalResourceId']} ({event['ResourceType']})"
        self._since = time.monotonic()

    def __rich__(self) -> Text:
        waited = time.monotonic() - self._since
        text = f"  {self._text}" + (f"  {waited:.0f} s" if waited > 3 else "")
        if waited > 5:
            text += "\n  images that no registry provides are made from Debian packages, once on a machine"
        return Text(text)


class Repository:
    """The working copy that the demo commits in."""

    def __init__(self, folder: Path, url: str, target: Target) -> None:
        self._folder = folder
        self._url = url
        self._target = target
        self._text: dict[str, str] = {}

    def begin(self) -> None:
        """Begin with the example's files; a second run goes on with the history of the first."""
        if not (self._folder / ".git").is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--initial-branch", "main")
            self._git("config", "user.name", "homeport demo")
            self._git("config", "user.email", "demo@homeport.invalid")
        self._git("config", "credential.helper", f"!{aws_command()} codecommit credential-helper $@")
        self._git("config", "credential.UseHttpPath", "true")
        for name in ("app.py", "Dockerfile", "buildspec.yml", "tests"):
            source, copy = _example() / name, self._folder / name
            if source.is_dir():
                shutil.copytree(
                    source, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copyfile(source, copy)
        self._git("add", "--all")
        first = "Say hello" if not self._has_commits() else "Say hello, once more"
        self._git("commit", "--quiet", "--allow-empty", "--message", first)

    def write(self, name: str, old: str, new: str) -> None:
        """Commit one replacement in one file."""
        file = self._folder / name
        self._text[name] = file.read_text()
        file.write_text(self._text[name].replace(old, new))
        self._git("commit", "--quiet", "--all", "--message", f"Replace {old!r} by {new!r} in {name}")

    def revert(self) -> None:
        """Take the last commit back, here only: it is pushed with the next one."""
        self._git("revert", "--no-edit", "HEAD")

    def push(self) -> str:
        """Push, and return the commit."""
        self._git("push", "--quiet", "--force", self._url, "HEAD:refs/heads/main")
        return self._git("rev-parse", "HEAD").strip()

    def _has_commits(self) -> bool:
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=self._folder, capture_output=True
        )
        return done.returncode == 0

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self._folder,
            env=self._target.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            out.print(f"  git {' '.join(arguments)}: {done.stderr.strip()}", style="red")
            raise typer.Exit(1)
        return done.stdout


class Site:
    """The service as its users reach it: by the load balancer's name, which leads to this machine."""

    def __init__(self, target: Target, url: str) -> None:
        self.host = url.partition("://")[2]
        self.port = listener_port(target.client("elbv2"), self.host)

    def answer(self) -> str:
        """What `/` answers."""
        request = Request(f"http://127.0.0.1:{self.port}/", headers={"Host": self.host})
        with urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def load(self) -> LoadTest:
        """A load on it."""
        return LoadTest(self.host, "127.0.0.1", self.port, RATE)

    def hint(self) -> str:
        """How to reach it by curl."""
        return f"http://{self.host}" + (f":{self.port}" if self.port != 80 else "")


def _push(target: Target, repository: Repository, pipeline: str) -> pipelines.Execution:
    commit = repository.push()
    ended = _watch(target, pipeline, commit)
    out.print(view.execution(ended))
    return ended


def _push_under_load(target: Target, repository: Repository, pipeline: str, site: Site) -> None:
    load = site.load()
    load.start()
    try:
        _push(target, repository, pipeline)
        time.sleep(1)
    finally:
        result = load.stop()
    color = "green" if result["failed"] == 0 else "red"
    out.print(
        f"  {result['requests']} requests, [bold {color}]{result['failed']} failed[/], "
        f"p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms; answered by {result['versions']}"
    )
    if result["failed"]:
        out.print(f"  {result['statuses']} {result['errors']}", style="red")


def _watch(target: Target, pipeline: str, commit: str) -> pipelines.Execution:
    """Show the execution of a commit while it runs, with the last line of its build."""
    client, codebuild, logs = (target.client(name) for name in ("codepipeline", "codebuild", "logs"))
    with Live(console=out, refresh_per_second=8, transient=True) as live:
        while True:
            found = pipelines.latest(client, pipeline, commit)
            if found is None:
                live.update("  waiting for the push to start the pipeline")
                time.sleep(0.1)
                continue
            shown = pipelines.read(client, pipeline, found)
            live.update(view.execution(shown, _last_line(codebuild, logs, shown)))
            if shown.final:
                return shown
            time.sleep(0.25)


def _last_line(codebuild: Any, logs: Any, shown: pipelines.Execution) -> str:
    running = next((each for each in shown.actions if each.status == "InProgress"), None)
    if running is None or running.provider != "CodeBuild" or not running.external_id:
        return ""
    lines = build_log(codebuild, logs, running.external_id, last=1)
    return lines[-1].rstrip()[:110] if lines else ""


def _example() -> Path:
    packaged = Path(__file__).parents[1] / "examples" / "hello"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "examples" / "hello"
