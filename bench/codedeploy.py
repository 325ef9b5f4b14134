"""Deployments by CodeDeploy, good and bad ones, under clients that never retry.

python -m bench.codedeploy [SCENARIO …] [--runs 10] [--to FILE] [--table]

A scenario is CONFIGURATION/good, or what goes wrong: 500s (the new version answers them, and an alarm on what the load
balancer measures hears of it), crash (at its start), hook@EVENT (its function says so),
alarm@EVENT, stop@EVENT (a person stops it there), kill@EVENT (the engine dies by kill -9 there, and starts again at
once), killback (it dies while a stopped deployment goes back). Ready is the wait for a continuation, Termination that
before the original tasks go. Needs Docker. AWS's waits are minutes: the engine's clock runs as fast as the
configuration says.
"""

from __future__ import annotations

import contextlib
import functools
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from bench import campaign, codedeploy_site, shift_table, two_groups, versions
from bench.campaign import Options, Scenario
from bench.codedeploy_site import ENDED, EVENTS, CodeDeploySite, Configuration
from bench.verdict import verdict
from bench.watching import Watch

SECONDS = 120.0
"""A deployment that takes longer, in real seconds, counts as one that hangs."""
_LINEAR = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 33, "linearInterval": 2}}
CONFIGURATIONS = {
    each.name.rpartition(".")[2]: each
    for each in (
        Configuration("CodeDeployDefault.ECSAllAtOnce", 0, 40, 40),
        Configuration("CodeDeployDefault.ECSCanary10Percent5Minutes", 5, 30, 60),
        Configuration("CodeDeployDefault.ECSCanary10Percent15Minutes", 15, 60, 60),
        Configuration("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", 9, 20, 60),
        Configuration("CodeDeployDefault.ECSLinear10PercentEvery3Minutes", 27, 60, 60),
        Configuration("our.linear33percentevery2minutes", 6, 30, 60, _LINEAR),
    )
}
HOOKED = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
POINTS = {
    "BeforeInstall": ("start", "start told", "alarms", "revision", "find", "BeforeInstall begins"),
    "Install": ("attach", "leftovers", "task set", "steady", "Install ends"),
    "AfterInstall": ("AfterInstall begins", "AfterInstall ends"),
    "AllowTestTraffic": ("AllowTestTraffic begins", "test traffic"),
    "AfterAllowTestTraffic": ("AfterAllowTestTraffic begins", "AfterAllowTestTraffic ends"),
    "Ready": ("ready", "ready told", "continued", "going on"),
    "BeforeAllowTraffic": ("BeforeAllowTraffic begins", "BeforeAllowTraffic ends"),
    "AllowTraffic": ("AllowTraffic begins", "shift 100", "primary"),
    "AfterAllowTraffic": ("AfterAllowTraffic begins", "AfterAllowTraffic ends"),
    "Termination": ("termination waits", "termination", "terminating", "terminate", "last look", "end"),
}
"""The steps of each event, whose failpoints an engine dies at."""
BACK = (
    "traffic back",
    "test traffic back",
    "primary back",
    "task set gone",
    "last look",
    "failure told",
    "rollback told",
)
ALARM_SPEED = 4.0
"""The clock's speed where the load balancer's measurements count, which are made every five seconds of it."""

_ALARM, _STOP = "Activated alarms: <errors>", "stopped manually"

Run = Callable[[CodeDeploySite, Options], dict[str, Any]]


def scenarios() -> list[Scenario[CodeDeploySite]]:
    """All of them."""
    found = []
    for name, configuration in CONFIGURATIONS.items():
        kinds: dict[str, Run] = {"good": _good}
        kinds["crash"] = _crash
        for event in HOOKED:
            kinds[f"hook@{event}"] = functools.partial(_hook, event=event)
        for event in ("Ready", "AllowTraffic", "Termination"):
            if event != "AllowTraffic" or name != "ECSAllAtOnce":
                kinds[f"alarm@{event}"] = functools.partial(_alarm, event=event)
        for event in EVENTS:
            kinds[f"stop@{event}"] = functools.partial(_stop, event=event)
            kinds[f"kill@{event}"] = functools.partial(_kill, event=event)
        kinds["killback"] = _kill_back
        fast = f"{name} {configuration.fast}"
        for kind, run in kinds.items():
            counted = kind in ("good", "alarm@AllowTraffic", "stop@AllowTraffic")
            found.append(Scenario(f"{name}/{kind}", name if counted else fast, run))
        found.append(Scenario(f"{name}/500s", f"{name} {ALARM_SPEED}", _errors))
    return found


def _open(site: str) -> AbstractContextManager[CodeDeploySite]:
    name, _, speed = site.partition(" ")
    configuration = CONFIGURATIONS[name]
    return codedeploy_site.opened(configuration._replace(speed=float(speed)) if speed else configuration)


def _good(site: CodeDeploySite, options: Options) -> dict[str, Any]:
    return _trial(site, options, "Succeeded")


def _errors(site: CodeDeploySite, options: Options) -> dict[str, Any]:
    site.alarm("errors")

    def decided(watch: Watch) -> float:
        watch.until(lambda look: look.status in ENDED, SECONDS)
        found = site.engine.client("cloudwatch").describe_alarms(AlarmNames=["errors"])
        return site.real(found["MetricAlarms"][0]["StateTransitionedTimestamp"])

    return _trial(site, options, "Stopped", decided, why=_ALARM, behaviour="errors", alarm=True)


def _crash(site: CodeDeploySite, options: Options) -> dict[str, Any]:
    return _trial(site, options, "Failed", why="no database", behaviour="crashes")


def _hook(site: CodeDeploySite, options: Options, event: str) -> dict[str, Any]:
    return _trial(site, options, "Failed", why="validation functions failed", hooks={event: "fails"})


def _alarm(site: CodeDeploySite, options: Options, event: str) -> dict[str, Any]:
    site.alarm("errors")

    def decided(watch: Watch) -> float:
        watch.until(lambda look: look.stage == event, SECONDS)
        time.sleep(random.uniform(0.1, 0.5))
        moment = time.time()
        site.ring()
        return moment

    return _trial(site, options, "Stopped", decided, why=_ALARM, ready=event == "Ready", alarm=True)


def _stop(site: CodeDeploySite, options: Options, event: str) -> dict[str, Any]:
    def decided(watch: Watch) -> float:
        watch.until(lambda look: look.stage == held, SECONDS)
        time.sleep(random.uniform(0.0, 0.3 if held == event else 0.1))
        moment = time.time()
        site.stop(rollback=True)
        return moment

    held, hooks = event, {event: "silent"} if event in HOOKED else {}
    if event == "AllowTestTraffic":  # it passes in no time: the stop comes as the hook before it answers
        held, hooks = "AfterInstall", {"AfterInstall": "passes"}
    if event == "AllowTraffic" and not site.configuration.minutes:
        held, hooks = "BeforeAllowTraffic", {"BeforeAllowTraffic": "passes"}
    return _trial(site, options, "Stopped", decided, why=_STOP, hooks=hooks, ready=event == "Ready")


def _kill(site: CodeDeploySite, options: Options, event: str) -> dict[str, Any]:
    """At a failpoint of the event; a wait that somebody has to end is ended."""
    hooks = {event: "passes"} if event in HOOKED else {}
    steps = POINTS[event]
    if event in HOOKED:
        steps = (*steps, f"{event} invokes", f"{event} answered")
    if event == "AllowTraffic" and site.configuration.minutes:
        first = 33 if site.configuration.routing else 10
        steps = (*steps, f"shift {first}", f"wait {first} until", f"wait {first}")
    point = f"{random.choice(steps)}.{random.choice(('before', 'done', 'committed'))}"
    site.engine.kill()
    two_groups.start(site.engine, f"codedeploy.deployment.{point}")

    def died(watch: Watch) -> None:
        if event == "Ready":
            _continue(site)
        site.engine.wait_dead(SECONDS)
        two_groups.start(site.engine)
        if event == "Ready":
            _continue(site)

    return {"point": point, **_trial(site, options, "Succeeded", died, hooks=hooks, ready=event == "Ready")}


def _continue(site: CodeDeploySite) -> None:
    """Let it go on as soon as it waits for that, unless it has gone on, or the engine has died."""
    deadline = time.monotonic() + SECONDS
    while site.engine.alive and time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            if site.look().stage not in ("", *EVENTS[: EVENTS.index("Ready") + 1]):
                return
            site.go_on()
            return
        time.sleep(0.05)


def _kill_back(site: CodeDeploySite, options: Options) -> dict[str, Any]:
    """A person stops it when it has traffic, and the engine dies on the way back."""
    point = f"{BACK[options.run % len(BACK)]}.{random.choice(('before', 'done', 'committed'))}"
    site.engine.kill()
    two_groups.start(site.engine, f"codedeploy.deployment.{point}")

    def died(watch: Watch) -> None:
        watch.until(lambda look: look.percent > 0, SECONDS)
        time.sleep(0.5)
        with contextlib.suppress(Exception):  # it may die before it answers
            site.stop(rollback=True)
        site.engine.wait_dead(SECONDS)
        two_groups.start(site.engine)

    return {"point": point, **_trial(site, options, "Stopped", died, why=_STOP)}


def _trial(
    site: CodeDeploySite,
    options: Options,
    expected: str,
    meanwhile: Callable[[Watch], float | None] = lambda watch: None,
    *,
    behaviour: str = "answers",
    why: str = "",
    **settings: Any,
) -> dict[str, Any]:
    """Deploy a version under load, do what is to be done `meanwhile` (which may return when it was decided that the
    version goes), and wait for the end. `why` is what a bad end must give as its reason."""
    version = f"v{time.time():.0f}"
    definition = site.define(version, behaviour)
    with site.load(options.rate, options.slow) as answers:
        time.sleep(0.5)
        begun = time.time()
        try:
            site.deploy(definition, **settings)
        except Exception:
            if site.engine.alive:  # else it was to die so early
                raise
        with Watch(site.look) as watch:
            decided = meanwhile(watch)
            seconds = SECONDS + site.configuration.waits / site.speed
            end = watch.until(lambda look: look.status in ENDED, seconds)
        time.sleep(1)
    bad = expected != "Succeeded"
    line = verdict(answers, watch.marks, version, bad=bad, decided=decided)
    line |= {"rate": options.rate, "ended": end.look.status, "took": round(end.at - begun, 2)}
    told = site.info().get("errorInformation", {}).get("message", "")
    if not bad:
        line["waits"] = round(site.configuration.waits / site.speed, 2)
        line["overhead"] = round(end.at - begun - site.configuration.waits / site.speed, 2)
    if end.look.status == "Succeeded":
        site.version = version
    wrong = [] if line["ended"] == expected and why in told else [f"ended as {line['ended']}: {told}"]
    return {**line, "wrong": wrong + _wrong(site, line)}


def _wrong(site: CodeDeploySite, line: dict[str, Any]) -> list[str]:
    wrong = [f"failed requests: {line['failed']}"] if line["failed"] else []
    return wrong + site.left_behind(site.version)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing stays behind
    versions.image()
    sys.exit(campaign.main(__doc__ or "", scenarios(), _open, shift_table.table))
