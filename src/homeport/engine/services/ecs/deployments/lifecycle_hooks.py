"""Lifecycle hooks as a service configures them: functions to invoke, or pauses, at stages of its deployments.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
NEVER_PAUSED = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
"""They run in rollbacks, too."""
LONGEST = {"AWS_LAMBDA": 1440, "PAUSE": 20160}
"""The longest time-out of a kind of hook, in minutes."""
DEFAULT_MINUTES = 1440
_MOST = 10


def kind(hook: Body) -> str:
    """`AWS_LAMBDA` or `PAUSE`."""
    found: str = hook.get("targetType") or "AWS_LAMBDA"
    return found


def at(configuration: Body, stage: str) -> list[Body]:
    """The hooks that run at a stage."""
    return [
        hook
        for hook in configuration.get("lifecycleHooks") or []
        if stage in (hook.get("lifecycleStages") or [])
    ]


def timeout(hook: Body) -> tuple[float, str]:
    """After how many seconds a hook is over, and what happens then: `ROLLBACK` or `CONTINUE`."""
    configured = hook.get("timeoutConfiguration") or {}
    return configured.get("timeoutInMinutes", DEFAULT_MINUTES) * 60.0, configured.get("action", "ROLLBACK")


def details(hook: Body) -> Body:
    """What the hook's function is given beside the deployment: an object, which CloudFormation also takes as text.
    Raises InvalidParameterException."""
    given = hook.get("hookDetails") or {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            given = None
    if not isinstance(given, dict):
        raise _invalid("hookDetails must be a JSON object.")
    return given


def check(configuration: Body) -> None:
    """Raise InvalidParameterException for hooks that AWS does not take, UnsupportedFeatureException for those that
    homeport does not run."""
    hooks = configuration.get("lifecycleHooks") or []
    if hooks and configuration["strategy"] == "ROLLING":
        raise AwsError(
            "UnsupportedFeatureException",
            "homeport runs lifecycle hooks for the strategies BLUE_GREEN, LINEAR and CANARY, not for ROLLING.",
        )
    for each in LONGEST:
        if sum(kind(hook) == each for hook in hooks) > _MOST:
            raise _invalid(f"A service can have at most {_MOST} lifecycle hooks of the targetType {each}.")
    for hook in hooks:
        _check_one(hook)


def _check_one(hook: Body) -> None:
    if kind(hook) not in LONGEST:
        raise _invalid("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
    stages = hook.get("lifecycleStages") or []
    if not stages:
        raise _invalid("lifecycleStages must not be empty.")
    for stage in stages:
        if stage not in STAGES:
            raise _invalid(f"Invalid lifecycle stage {stage}. Valid values are: {', '.join(STAGES)}")
    if kind(hook) == "PAUSE":
        if set(stages) & set(NEVER_PAUSED):
            raise _invalid("Invalid lifecycle stage provided for Pause Hook")
        for member in ("hookTargetArn", "roleArn"):
            if hook.get(member):
                raise _invalid(f"{member} is not allowed for a hook of the targetType PAUSE.")
    else:
        for member in ("hookTargetArn", "roleArn"):
            if not hook.get(member):
                raise _invalid(f"{member} is required for a hook of the targetType AWS_LAMBDA.")
    details(hook)
    minutes = (hook.get("timeoutConfiguration") or {}).get("timeoutInMinutes", DEFAULT_MINUTES)
    longest = LONGEST[kind(hook)]
    if not 1 <= minutes <= longest:
        raise _invalid(f"timeoutInMinutes must be between 1 and {longest}. Got: {minutes}")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
