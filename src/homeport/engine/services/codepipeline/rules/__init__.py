"""Rule providers of stage conditions, one a file.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html
"""

from __future__ import annotations

from homeport.engine.services.codepipeline.rules import (
    cloudwatch_alarm,
    codebuild,
    commands,
    deployment_window,
    lambda_invoke,
    variable_check,
)
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

RULE_PROVIDERS: dict[str, RuleProvider] = {
    provider.name: provider
    for provider in (
        cloudwatch_alarm.PROVIDER,
        codebuild.PROVIDER,
        commands.PROVIDER,
        deployment_window.PROVIDER,
        lambda_invoke.PROVIDER,
        variable_check.PROVIDER,
    )
}
