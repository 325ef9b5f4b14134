"""The command: a table for each role, then the policies to paste."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from homeport.cli import stacks
from homeport.cli.output import Output, OutputOption, console
from homeport.cli.permissions import grants, paste
from homeport.cli.permissions.grants import Policy
from homeport.cli.permissions.review import ONLY_ON_AWS, Review, State, review
from homeport.cli.permissions.trail import Trail, read
from homeport.cli.project import DEFAULT, FileOption, stack_name
from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb
from homeport.cli.view import as_json

out = console(soft_wrap=True)

_SHORT = {ONLY_ON_AWS: "on AWS only"}
_DIFFERENCE = {"+": "green", "-": "red", "@": "bright_black"}
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
    policies = {role: grants.of_role(iam, role) for role in roles}
    reviews = [
        review(role, policies[role], trail.used[role], trail.denied[role], trail.records_data)
        for role in roles
    ]
    source = paste.Source.of(cloudformation, name)
    changes = {
        each.role: list(_changes(source, roles[each.role], policies[each.role], each)) for each in reviews
    }
    if output is Output.json:
        document = _document(name, roles, reviews, changes, trail, since)
        print(json.dumps(as_json(document), indent=2))
        return
    for each in reviews:
        _show(roles[each.role], each, changes[each.role])
    out.print()
    for line in _window(trail, since):
        out.print(line, style="bright_black")


@dataclass(frozen=True, slots=True)
class _Change:
    """A policy that can be tighter: the difference, and what to write in homeport.yml, where that can say it."""

    policy: str
    difference: list[str]
    lines: str | None


def _changes(source: paste.Source, role: str, policies: list[Policy], shown: Review) -> Iterator[_Change]:
    for policy in policies:
        if policy.name in shown.tighter:
            difference = paste.difference(policy, shown.tighter[policy.name])
            lines = None if policy.managed else paste.lines(source, role, policy, shown.parts[policy.name])
            yield _Change(policy.name, difference, lines)


def _show(logical: str, shown: Review, changes: list[_Change]) -> None:
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
        said = (
            f"{each.use.count}×, last {each.use.last:%d %b %H:%M}"
            if each.use
            else _SHORT.get(each.why, each.why)
        )
        table.add_row(f" [{color}]{mark}[/]", each.action, f"[bright_black]{each.policy}[/]", said)
    for action, use in shown.denied.items():
        where = ", ".join(sorted(use.resources)[:2])
        table.add_row(" [red]✗[/]", action, "", f"[red]denied {use.count}×[/] {where}")
    out.print(table)
    for change in changes:
        if shown.tighter[change.policy] is None:
            out.print(f"\n  [green]tighter[/] leave the policy {change.policy} out: nothing of it was used")
        else:
            out.print(f"\n  [green]tighter[/] the policy {change.policy}")
        for each_line in change.difference:
            out.print(f"    {each_line}", style=_DIFFERENCE.get(each_line[:1]), markup=False)
        if change.lines:
            out.print("\n  [green]in homeport.yml[/]")
            out.print("".join(f"    {line}\n" for line in change.lines.splitlines()), markup=False, end="")


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
    stack: str,
    roles: dict[str, str],
    reviews: list[Review],
    changes: dict[str, list[_Change]],
    trail: Trail,
    since: datetime,
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
                "changes": [asdict(change) for change in changes[each.role]],
            }
            for each in reviews
        ],
    }


def _plain(use: dict[str, Any]) -> dict[str, Any]:
    return {**use, "resources": sorted(use["resources"])}
