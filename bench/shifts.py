"""Deployments that shift traffic by ECS itself, good and bad ones, under clients that never retry.

python -m bench.shifts [SCENARIO …] [--runs 10] [--to FILE] [--slow 0]

A scenario is CONFIGURATION/good, or what goes wrong: 500s (the new version answers them, and an alarm on what the load
balancer measures hears of it), crash (at its start), dies (under its first requests), hook@STAGE (its function fails),
alarm@STAGE, stop@STAGE (a person stops it there), kill@STAGE (the engine dies by kill -9 there, and starts again at
once), killback@STEP (it dies while a stopped deployment goes back). Needs Docker. AWS's waits are minutes: the engine's
clock runs as fast as the configuration says.
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

from bench import campaign, shift_site, shift_table, two_groups, versions
from bench.campaign import Options, Scenario
from bench.shift_site import Configuration, ShiftSite
from bench.verdict import verdict
from bench.watching import Watch

SECONDS = 120.0
"""A deployment that takes longer, in real seconds and beside its waits, counts as one that hangs."""
CONFIGURATIONS = {
    "blue-green": Configuration({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2}, 20),
    "canary-5": Configuration(
        {
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10},
            "bakeTimeInMinutes": 2,
        },
        40,
    ),
    "canary-12.5": Configuration(
        {
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": 12.5, "canaryBakeTimeInMinutes": 5},
            "bakeTimeInMinutes": 2,
        },
        20,
    ),
    "linear-10": Configuration(
        {
            "strategy": "LINEAR",
            "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6},
            "bakeTimeInMinutes": 2,
        },
        60,
    ),
    "linear-30": Configuration(
        {
            "strategy": "LINEAR",
            "linearConfiguration": {"stepPercent": 30.0, "stepBakeTimeInMinutes": 3},
            "bakeTimeInMinutes": 2,
        },
        30,
    ),
}
DEFAULT = ("*/good", "*/crash", "*/stop@PRODUCTION_TRAFFIC_SHIFT", "canary-12.5/500s")
"""What is tried when nothing is named: some minutes."""
STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
UNHOOKED = ("SCALE_UP", "BAKE_TIME", "CLEAN_UP")
BACK_STEPS = ("tasks", "traffic", "hooks", "CLEAN_UP")
_BACK = "ROLLBACK_SUCCESSFUL"
_ALARMS = {"alarmNames": ["errors"], "enable": True, "rollback": True}
_MEASURED = {
    "500s": ("errors", "HTTPCode_Target_5XX_Count"),
    "dies": ("dies", "HTTPCode_ELB_5XX_Count"),
}
"""What an alarm on the load balancer's measurements hears of: the version's behaviour, the metric."""
ALARM_SPEED = 4.0
"""The clock's speed where the load balancer's measurements count, which are made every five seconds of it."""


def scenarios() -> list[Scenario[ShiftSite]]:
    """All of them."""
    found = []
    for name, configuration in CONFIGURATIONS.items():
        kinds: dict[str, Callable[[ShiftSite, Options], dict[str, Any]]] = {"good": _good}
        kinds["crash"] = _crash
        for stage in STAGES:
            if stage not in (*UNHOOKED, "RECONCILE_SERVICE"):
                kinds[f"hook@{stage}"] = functools.partial(_hook, stage=stage)
            kinds[f"stop@{stage}"] = functools.partial(_stop, stage=stage)
            kinds[f"kill@{stage}"] = functools.partial(_kill, stage=stage)
        for stage in ("PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"):
            if stage == "BAKE_TIME" or configuration.settings["strategy"] != "BLUE_GREEN":
                kinds[f"alarm@{stage}"] = functools.partial(_alarm, stage=stage)
        for step in BACK_STEPS:
            kinds[f"killback@{step}"] = functools.partial(_kill_back, step=step)
        found += [Scenario(f"{name}/{kind}", name, run) for kind, run in kinds.items()]
        for kind, (behaviour, metric) in _MEASURED.items():
            errors = functools.partial(_errors, behaviour=behaviour, metric=metric)
            found.append(Scenario(f"{name}/{kind}", f"{name} {ALARM_SPEED}", errors))
    return found


def _open(site: str) -> AbstractContextManager[ShiftSite]:
    name, _, speed = site.partition(" ")
    configuration = CONFIGURATIONS[name]
    return shift_site.opened(configuration._replace(speed=float(speed)) if speed else configuration)


def _good(site: ShiftSite, options: Options) -> dict[str, Any]:
    return _trial(site, options, "SUCCESSFUL")


def _errors(site: ShiftSite, options: Options, behaviour: str, metric: str) -> dict[str, Any]:
    site.alarm("errors", metric)

    def decided(watch: Watch) -> float:
        watch.until(lambda look: look.status.startswith("ROLLBACK"), SECONDS)
        return site.real(site.alarm_state("errors")["StateTransitionedTimestamp"])

    line = _trial(site, options, _BACK, decided, behaviour=behaviour, alarms=_ALARMS)
    site.until_ok("errors")
    return line


def _crash(site: ShiftSite, options: Options) -> dict[str, Any]:
    return _trial(site, options, _BACK, lambda watch: _rolled_back(site, watch), behaviour="crashes")


def _rolled_back(site: ShiftSite, watch: Watch) -> float:
    """When the deployment was to go back, as it says itself."""
    watch.until(lambda look: look.status.startswith("ROLLBACK"), SECONDS)
    return site.real(site.deployment()["rollback"]["startedAt"])


def _hook(site: ShiftSite, options: Options, stage: str) -> dict[str, Any]:
    hooks = [site.hook(stage, "FAILED")]
    return _trial(site, options, _BACK, lambda watch: _rolled_back(site, watch), lifecycleHooks=hooks)


def _alarm(site: ShiftSite, options: Options, stage: str) -> dict[str, Any]:
    site.alarm("errors")

    def decided(watch: Watch) -> float:
        watch.until(lambda look: look.stage == stage, SECONDS)
        time.sleep(random.uniform(0.2, 1.0))
        moment = time.time()
        site.set_alarm("errors", "ALARM")
        return moment

    line = _trial(site, options, _BACK, decided, alarms=_ALARMS)
    site.until_ok("errors")
    return line


def _stop(site: ShiftSite, options: Options, stage: str) -> dict[str, Any]:
    kind = ("ROLLBACK", "ABORT")[options.run % 2]
    ended = _BACK if kind == "ROLLBACK" else "STOPPED"
    return _trial(
        site, options, ended, lambda watch: _stopped(site, watch, stage, kind), **_held(site, stage)
    )


def _held(site: ShiftSite, stage: str) -> dict[str, Any]:
    """What holds a deployment in a stage that would pass in no time."""
    if stage == "CLEAN_UP":
        return {"bakeTimeInMinutes": 0}  # slow requests are still with the old version
    if stage in UNHOOKED:
        return {}
    if stage in ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"):
        return {"lifecycleHooks": [site.hook(stage, "IN_PROGRESS")]}
    return {"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": [stage]}]}


def _stopped(site: ShiftSite, watch: Watch, stage: str, kind: str) -> float:
    if stage == "RECONCILE_SERVICE":
        _supersede(site, watch)
    watch.until(lambda look: look.stage == stage, SECONDS)
    time.sleep(random.uniform(0.0, {"SCALE_UP": 0.3, "CLEAN_UP": 0.1}.get(stage, 1.0)))
    moment = time.time()
    site.stop(kind)
    return moment


def _supersede(site: ShiftSite, watch: Watch) -> None:
    """Deploy the version anew once it has traffic, so that the first deployment is to be taken back."""
    watch.until(lambda look: look.percent > 0, SECONDS)
    site.ecs.update_service(service="web", forceNewDeployment=True)


def _kill(site: ShiftSite, options: Options, stage: str) -> dict[str, Any]:
    """Between an effect and its record; in a stage that lasts half of the times at any moment of it."""
    if stage == "RECONCILE_SERVICE" or (stage in UNHOOKED and options.run % 2):

        def killed(watch: Watch) -> None:
            if stage == "RECONCILE_SERVICE":
                _supersede(site, watch)
            watch.until(lambda look: look.stage == stage, SECONDS)
            time.sleep(random.uniform(0.0, 0.5))
            site.engine.kill()
            two_groups.start(site.engine)

        return _trial(
            site, options, "SUCCESSFUL", killed, **(_held(site, stage) if stage == "CLEAN_UP" else {})
        )
    point = random.choice(_points(site, stage))
    site.engine.kill()
    two_groups.start(site.engine, f"ecs.deployment.{point}")

    def died(watch: Watch) -> None:
        site.engine.wait_dead(SECONDS)
        two_groups.start(site.engine)

    return {"point": point, **_trial(site, options, "SUCCESSFUL", died)}


def _points(site: ShiftSite, stage: str) -> list[str]:
    """The failpoints of a stage."""
    settings = site.configuration.settings
    percent = {
        "CANARY": settings.get("canaryConfiguration", {}).get("canaryPercent"),
        "LINEAR": settings.get("linearConfiguration", {}).get("stepPercent"),
        "BLUE_GREEN": 100.0,
    }[settings["strategy"]]
    at = f" {percent}" if stage in ("PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT") else ""
    worked = ("SCALE_UP", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
    names = [f"{stage}{at}", *([f"{stage}{at} work"] if stage in worked else [])]
    return [f"{name}.{when}" for name in names for when in ("before", "done", "committed")]


def _kill_back(site: ShiftSite, options: Options, step: str) -> dict[str, Any]:
    """A person stops it when it has traffic, and the engine dies on the way back."""
    point = f"back {step}.{random.choice(('before', 'done', 'committed'))}"
    site.engine.kill()
    two_groups.start(site.engine, f"ecs.deployment.{point}")

    def died(watch: Watch) -> None:
        watch.until(lambda look: look.percent > 0, SECONDS)
        time.sleep(0.5)
        with contextlib.suppress(Exception):  # it may die before it answers
            site.stop("ROLLBACK")
        site.engine.wait_dead(SECONDS)
        two_groups.start(site.engine)

    return {"point": point, **_trial(site, options, _BACK, died)}


def _trial(
    site: ShiftSite,
    options: Options,
    expected: str,
    meanwhile: Callable[[Watch], float | None] = lambda watch: None,
    *,
    behaviour: str = "answers",
    **settings: Any,
) -> dict[str, Any]:
    """Deploy a version under load, do what is to be done `meanwhile` (which may return when it was decided that the
    version goes), and wait for the end."""
    version = f"v{time.time():.0f}"
    definition = site.define(version, behaviour)
    bad = expected != "SUCCESSFUL"
    configured = site.configuration._replace(settings={**site.configuration.settings, **settings})
    waits = configured.waits / site.speed
    decided = None
    with site.load(options.rate, options.slow) as answers:
        time.sleep(1)
        begun = time.time()
        try:
            site.deploy(definition, **settings)
        except Exception:
            if site.engine.alive:  # else it was to die so early
                raise
        with Watch(site.look) as watch:
            decided = meanwhile(watch)
            end = watch.until(lambda look: not look.runs, SECONDS + waits)
        time.sleep(1)
    own = (502, 503) if behaviour == "dies" else ()
    line = verdict(answers, watch.marks, version, bad=bad, own=own, decided=decided)
    line |= {"rate": options.rate, "ended": end.look.status, "reason": end.look.reason}
    line["took"] = round(end.at - begun, 2)
    if not bad:
        line["waits"] = round(waits, 2)
        line["overhead"] = round(end.at - begun - waits, 2)
        site.version = version
    return {**line, "wrong": _wrong(site, line, expected)}


def _wrong(site: ShiftSite, line: dict[str, Any], expected: str) -> list[str]:
    wrong = (
        []
        if line["ended"] == expected
        else [f"ended as {line['ended']}, not as {expected}: {line['reason']}"]
    )
    if line["failed"]:
        wrong.append(f"failed requests: {line['failed']}")
    return wrong + site.left_behind(site.version)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing stays behind
    versions.image()
    sys.exit(campaign.main(__doc__ or "", scenarios(), _open, shift_table.table, DEFAULT))
