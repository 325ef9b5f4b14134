"""The command: a table for each role, then the policies to paste."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from homeport.cli import stacks
from homeport.cli.output import Output, OutputOption
from homeport.cli.permissions import grants
from homeport.cli.permissions.review import Review, State, review
from homeport.cli.permissions.trail import Trail, read
from homeport.cli.project import DEFAULT, FileOption, stack_name
from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb

out = Console(highlight=False, soft_wrap=True)

_MARKS = {State.used: ("✓", "green"), State.unused: ("–", "yellow"), State.unseen: ("?", "bright_black")}


@verb
def permissions(
    target: Target,
    stack: Annotated[
        str | None, typer.Argument(help="The stack; the app of homeport.yml when left out.")
    ] = None,
    file: FileOption = DEFAULT,
    days: Annotated[
        float, typer.Option(help="How far to look back; AWS keeps 90 days.", min=0.01, max=90)
    ] = 7,
    events: Annotated[int, typer.Option(help="How many events to read at most.", min=50)] = 20000,
    output: OutputOption = Output.table,
) -> None:
    """Compare what a stack's roles used with what they may do. Prints the tighter policies."""
    name = stack_name(stack, file)
    cloudformation = target.client("cloudformation")
    roles = stacks.resources(cloudformation, stacks.known(cloudformation, name), "AWS::IAM::Role")
    if not roles:
        raise CannotReach(f"The stack {name} has no roles.")
    since = datetime.now(UTC) - timedelta(days=days)
    trail = read(target.client("cloudtrail"), set(roles), since, events)
    iam = target.client("iam")
    reviews = [
        review(role, grants.of_role(iam, role), trail.used[role], trail.denied[role], trail.records_data)
        for role in roles
    ]
    if output is Output.json:
        print(json.dumps(_document(name, roles, reviews, trail, since), indent=2, default=str))
        return
    for each in reviews:
        _show(roles[each.role], each)
    out.print()
    for line in _window(trail, since):
        out.print(line, style="bright_black")


def _show(logical: str, shown: Review) -> None:
    if not shown.actions and not shown.denied:
        out.print(f"\n[bold]{logical}[/] [bright_black]{shown.role}[/]\n  is granted nothing")
        return
    counts = {state: sum(each.state is state for each in shown.actions) for state in State}
    summary = f"{counts[State.used]} of {len(shown.actions)} granted actions used"
    unused = f", [yellow]{counts[State.unused]} not used[/]" if counts[State.unused] else ""
    unseen = f", {counts[State.unseen]} that the trail cannot show" if counts[State.unseen] else ""
    out.print(f"\n[bold]{logical}[/] [bright_black]{shown.role}[/]\n  {summary}{unused}{unseen}")
    table = Table(show_header=False, box=None, padding=(0, 1))
    for each in shown.actions:
        mark, color = _MARKS[each.state]
        said = f"{each.use.count}×, last {each.use.last:%d %b %H:%M}" if each.use else each.why
        table.add_row(f" [{color}]{mark}[/]", each.action, f"[bright_black]{each.policy}[/]", said)
    for action, use in shown.denied.items():
        where = ", ".join(sorted(use.resources)[:2])
        table.add_row(" [red]✗[/]", action, "", f"[red]denied {use.count}×[/] {where}")
    out.print(table)
    for policy, document in shown.tighter.items():
        if document is None:
            out.print(f"  [green]tighter[/] leave the policy {policy} out: nothing of it was used")
        else:
            out.print(f"  [green]tighter[/] the policy {policy}:")
            out.print(json.dumps(document, indent=2), markup=False)


def _window(trail: Trail, since: datetime) -> list[str]:
    begin = trail.oldest or since
    lines = [
        f"Looked at {trail.events} events since {(since if trail.complete else begin):%Y-%m-%d %H:%M} UTC. "
        "What runs more rarely than that shows as not used: a rollback, a first release, a scan."
    ]
    if not trail.complete:
        lines.append("There were more events than --events allows: uses before that moment were not seen.")
    if not trail.records_data:
        lines.append(
            "CloudTrail's event history has management events only. Actions marked ? are kept: look for them in a "
            "trail with data events, or run the same stack at home, where every call is recorded."
        )
    return lines


def _document(
    stack: str, roles: dict[str, str], reviews: list[Review], trail: Trail, since: datetime
) -> dict[str, Any]:
    return {
        "stack": stack,
        "window": {
            "since": since.isoformat(),
            "oldest_event": trail.oldest,
            "events": trail.events,
            "complete": trail.complete,
            "data_events": trail.records_data,
        },
        "notes": _window(trail, since),
        "roles": [
            {
                "role": each.role,
                "logical_id": roles[each.role],
                "actions": [
                    {
                        "action": one.action,
                        "policy": one.policy,
                        "state": one.state,
                        "why": one.why,
                        **(_plain(asdict(one.use)) if one.use else {}),
                    }
                    for one in each.actions
                ],
                "denied": {action: _plain(asdict(use)) for action, use in each.denied.items()},
                "tighter": each.tighter,
            }
            for each in reviews
        ],
    }


def _plain(use: dict[str, Any]) -> dict[str, Any]:
    return {**use, "resources": sorted(use["resources"])}
