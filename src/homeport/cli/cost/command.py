"""The command: the bill, what it assumes, and what would cost less."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from homeport.cli import stacks
from homeport.cli.cost.estimate import Item, Template, estimate, not_estimated
from homeport.cli.cost.prices import Prices, load
from homeport.cli.cost.savings import Saving, savings
from homeport.cli.cost.savings import template_of as priced
from homeport.cli.cost.usage import Usage
from homeport.cli.output import Output, OutputOption, console
from homeport.cli.project import DEFAULT, FileOption, parse_template, template_of
from homeport.cli.project import load as load_manifest
from homeport.cli.target import Target, TargetName
from homeport.cli.verb import verb

out = console(soft_wrap=True)
_USAGE = Usage()


@verb
def cost(
    target: Target,
    stack: Annotated[
        str | None, typer.Argument(help="A deployed stack; what homeport.yml would make when left out.")
    ] = None,
    file: FileOption = DEFAULT,
    tasks: Annotated[
        float | None, typer.Option(help="Tasks of each service on average; what homeport.yml says.", min=0)
    ] = None,
    releases: Annotated[float, typer.Option(help="Releases a month.", min=0)] = _USAGE.releases,
    build_minutes: Annotated[float, typer.Option(help="Minutes of a build.", min=0)] = _USAGE.build_minutes,
    deploy_minutes: Annotated[
        float, typer.Option(help="Minutes of a deployment.", min=0)
    ] = _USAGE.deploy_minutes,
    image_gb: Annotated[float, typer.Option(help="GB that an image adds.", min=0)] = _USAGE.image_gb,
    artifact_gb: Annotated[
        float, typer.Option(help="GB of artifacts of a release.", min=0)
    ] = _USAGE.artifact_gb,
    traffic_gb: Annotated[float, typer.Option(help="GB to users a month.", min=0)] = _USAGE.traffic_gb,
    requests: Annotated[float, typer.Option(help="New connections a second.", min=0)] = _USAGE.requests,
    nat_gb: Annotated[
        float, typer.Option(help="GB through NAT gateways a month: images, packages, APIs.", min=0)
    ] = _USAGE.nat_gb,
    log_gb: Annotated[float, typer.Option(help="GB of logs a month.", min=0)] = _USAGE.log_gb,
    free_minutes: Annotated[
        float, typer.Option(help="Free build and pipeline minutes left to this stack.", min=0)
    ] = _USAGE.free_minutes,
    prices: Annotated[Path | None, typer.Option(help="Your own price table, in the form of ours.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Estimate what a month in AWS costs, and what would cost less."""
    usage = Usage(
        tasks, releases, build_minutes, deploy_minutes, image_gb, artifact_gb, traffic_gb, requests, nat_gb,
        log_gb, free_minutes,
    )  # fmt: skip
    table = load(_region(target), prices)
    suggestions: list[Saving] = []
    if stack:
        name, template = stack, _deployed(target, stack)
    else:
        manifest = load_manifest(file)
        name, template = manifest.app, priced(manifest)
        if manifest.override.template:
            template = Template(template_of(manifest, file), {}, {})
        else:
            suggestions = savings(manifest, table, usage)
    items = estimate(template, table, usage)
    if output is Output.json:
        print(json.dumps(_document(name, items, suggestions, template, table, usage), indent=2))
        return
    _show(name, items, table)
    _tell(usage, template, table)
    if suggestions:
        _suggest(suggestions)


def _region(target: Target) -> str:
    """The region that is asked for, else that of the profile, else us-east-1: at home nothing costs."""
    if target.region or target.name is TargetName.local:
        return target.region or "us-east-1"
    return str(target.session.region_name or "us-east-1")


def _deployed(target: Target, stack: str) -> Template:
    """The template of a stack, with its parameters and with the tasks that its services want now."""
    cloudformation, ecs = target.client("cloudformation"), target.client("ecs")
    stacks.known(cloudformation, stack)
    body = cloudformation.get_template(StackName=stack)["TemplateBody"]
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    tasks = {}
    for arn, logical in stacks.resources(cloudformation, stack, "AWS::ECS::Service").items():
        cluster = arn.split("/")[-2]
        (service,) = ecs.describe_services(cluster=cluster, services=[arn])["services"]
        tasks[logical] = float(service["desiredCount"])
    return Template(parse_template(body) if isinstance(body, str) else body, parameters, tasks)


def _show(name: str, items: list[Item], prices: Prices) -> None:
    table = Table(box=None, padding=(0, 1))
    table.add_column("Resource")
    table.add_column("What")
    table.add_column("$ a month", justify="right")
    for item in sorted(items, key=lambda each: -each.monthly):
        table.add_row(item.resource, f"[bright_black]{item.what}[/]", f"{item.monthly:.2f}")
    table.add_row("", "", "")
    total = sum(item.monthly for item in items)
    table.add_row(f"[bold]{name}[/]", f"[bold]in {prices.region}[/]", f"[bold]{total:.2f}[/]")
    out.print(table)


def _tell(usage: Usage, template: Template, prices: Prices) -> None:
    said = ", ".join(
        f"--{name.replace('_', '-')} {value:g}" for name, value in asdict(usage).items() if value is not None
    )
    out.print(f"\nAssumed: {said}", style="bright_black")
    out.print(f"Prices of {prices.as_of}: {prices.source} {_found(prices)}".strip(), style="bright_black")
    if missing := not_estimated(template):
        out.print(f"Not estimated: {', '.join(missing)}", style="yellow")


def _found(prices: Prices) -> str:
    """How far the prices can be trusted; nothing of a table of one's own."""
    if not prices.checked:
        return ""
    count = Counter(each.found for each in prices.checked.values())
    return (
        f"Of the {len(prices.checked)} of {prices.region}, {count['aws']} have been found on AWS's own pages, "
        f"{count['lists']} in others' lists, {count['nowhere']} nowhere: an approximation. Your own: --prices."
    )


def _suggest(suggestions: list[Saving]) -> None:
    out.print("\nWhat would change it, in homeport.yml:\n")
    table = Table(show_header=False, box=None, padding=(0, 1))
    for each in suggestions:
        color, word = ("green", "less") if each.monthly >= 0 else ("yellow", "more")
        amount = f"[{color}]{abs(each.monthly):.2f} {word}[/]"
        table.add_row(amount, each.change, f"[bright_black]{each.price}[/]")
    out.print(table)


def _document(
    name: str,
    items: list[Item],
    suggestions: list[Saving],
    template: Template,
    prices: Prices,
    usage: Usage,
) -> dict[str, Any]:
    return {
        "stack": name,
        "region": prices.region,
        "currency": "USD",
        "monthly": round(sum(item.monthly for item in items), 2),
        "items": [{**asdict(item), "monthly": round(item.monthly, 4)} for item in items],
        "savings": [{**asdict(each), "monthly": round(each.monthly, 4)} for each in suggestions],
        "assumptions": asdict(usage),
        "prices": {
            "as_of": prices.as_of,
            "source": prices.source,
            "checked": {name: asdict(each) for name, each in prices.checked.items()},
        },
        "not_estimated": not_estimated(template),
    }
