"""Why a push starts nothing: a connection that waits for consent, a webhook that fails, a rule that is off, a branch
that no pipeline looks at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.target import Target


def check(target: Target, stack: str | None) -> Iterator[Diagnosis]:
    """Look at what the pipelines' sources hang on."""
    client = target.client("codepipeline")
    for page in client.get_paginator("list_pipelines").paginate():
        for each in page["pipelines"]:
            if stack and each["name"] != stack:
                continue
            declared = client.get_pipeline(name=each["name"])["pipeline"]
            for action in declared["stages"][0]["actions"]:
                provider = action["actionTypeId"]["provider"]
                if provider == "CodeStarSourceConnection":
                    yield from _connection(target, each["name"], action["configuration"])
                elif provider == "CodeCommit":
                    yield from _repository(target, each["name"], action["configuration"])
            yield from _transitions(client, each["name"])
    yield from _webhooks(client)


def _connection(target: Target, pipeline: str, configuration: dict[str, str]) -> Iterator[Diagnosis]:
    arn = configuration["ConnectionArn"]
    service = "codestar-connections" if ":codestar-connections:" in arn else "codeconnections"
    connection = target.client(service).get_connection(ConnectionArn=arn)["Connection"]
    if connection["ConnectionStatus"] != "AVAILABLE":
        yield Diagnosis(
            pipeline,
            "its connection is not usable, so no push is heard",
            f"{connection['ConnectionName']} is {connection['ConnectionStatus']}",
            "Give your consent in the console: Developer Tools, Settings, Connections, Update pending connection",
        )


def _repository(target: Target, pipeline: str, configuration: dict[str, str]) -> Iterator[Diagnosis]:
    codecommit = target.client("codecommit")
    name, branch = configuration["RepositoryName"], configuration["BranchName"]
    branches = codecommit.list_branches(repositoryName=name)["branches"]
    if not branches:
        yield Diagnosis(
            pipeline,
            "its repository is empty",
            f"{name} has no branches",
            f"git push <clone url> HEAD:refs/heads/{branch}",
        )
        return
    if branch not in branches:
        yield Diagnosis(
            pipeline,
            f"it looks at the branch {branch}, which is not there",
            f"{name} has: {', '.join(branches)}",
            f"Push to {branch}, or set the pipeline's BranchName",
        )
    if configuration.get("PollForSourceChanges", "true").lower() == "true":
        return
    arn = codecommit.get_repository(repositoryName=name)["repositoryMetadata"]["Arn"]
    yield from _rules(target.client("events"), pipeline, name, arn)


def _rules(events: Any, pipeline: str, repository: str, arn: str) -> Iterator[Diagnosis]:
    rules = [rule for page in events.get_paginator("list_rules").paginate() for rule in page["Rules"]]
    hearing = [rule for rule in rules if arn in rule.get("EventPattern", "")]
    starting = [
        rule
        for rule in hearing
        if any(
            each["Arn"].endswith(f":{pipeline}")
            for each in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        )
    ]
    if not starting:
        yield Diagnosis(
            pipeline,
            "no EventBridge rule starts it when its repository changes, and it does not poll",
            f"{len(hearing)} rules hear {repository}, none has this pipeline as its target",
            "Add an AWS::Events::Rule with the repository as resource and the pipeline as target",
        )
    for rule in starting:
        if rule.get("State") != "ENABLED":
            yield Diagnosis(
                pipeline,
                "the rule that starts it is disabled",
                f"{rule['Name']} is {rule['State']}",
                f"aws events enable-rule --name {rule['Name']}",
            )


def _transitions(client: Any, pipeline: str) -> Iterator[Diagnosis]:
    for stage in client.get_pipeline_state(name=pipeline)["stageStates"]:
        transition = stage.get("inboundTransitionState", {})
        if transition and not transition.get("enabled", True):
            yield Diagnosis(
                pipeline,
                f"nothing enters the stage {stage['stageName']}",
                f"the transition is disabled: {transition.get('disabledReason', '')}",
                f"aws codepipeline enable-stage-transition --pipeline-name {pipeline} "
                f"--stage-name {stage['stageName']} --transition-type Inbound",
            )


def _webhooks(client: Any) -> Iterator[Diagnosis]:
    for page in client.get_paginator("list_webhooks").paginate():
        for webhook in page["webhooks"]:
            if webhook.get("errorCode"):
                name = webhook["definition"]["name"]
                yield Diagnosis(
                    name,
                    "its last delivery was refused",
                    f"{webhook['errorCode']}: {webhook.get('errorMessage', '')}",
                    "Set the same secret on both sides (SecretToken), then deliver again from GitHub's page of the "
                    f"webhook; its address is {webhook['url']}",
                )
