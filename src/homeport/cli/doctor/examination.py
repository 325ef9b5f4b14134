"""Every check, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from homeport.cli import stacks
from homeport.cli.doctor import balancers, builds, connections, denials, machine, services
from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.failures import sentence
from homeport.cli.target import CannotReach

Check = Callable[[Scope], Iterator[Diagnosis]]
CHECKS: dict[str, Check] = {
    "this machine": machine.check,
    "pushes, webhooks, connections": connections.check,
    "permissions": denials.check,
    "builds": builds.check,
    "load balancers": balancers.check,
    "services and their tasks": services.check,
}


@dataclass(slots=True)
class Finding:
    """What a check found; `unknown` is why it could not look, or not to the end. Several where nothing answers."""

    checks: list[str]
    troubles: list[Diagnosis] = field(default_factory=list)
    unknown: str = ""


def examine(scope: Scope) -> Iterator[Finding]:
    """What each check finds, as it ends. Where nothing answers, those that are left are one."""
    names = list(CHECKS)
    for at, (name, check) in enumerate(CHECKS.items()):
        found = Finding([name])
        try:
            if scope.stack and check is not machine.check:
                stacks.known(scope.client("cloudformation"), scope.stack)
            for each in check(scope):
                found.troubles.append(each)
        except ClientError as error:
            found.unknown = sentence(error) or str(error)
        except (BotoCoreError, CannotReach) as error:
            found.checks, found.unknown = names[at:], sentence(error) or str(error)
            yield found
            return
        yield found
