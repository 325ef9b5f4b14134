"""Why a push starts nothing: a connection that waits for consent, a webhook that fails, filters that never match, a
rule that is off, a branch that no pipeline looks at."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.target import TargetName

_SECRET_TAG = "homeport:secret"
"""The tag of a connection at home that names the secret of its webhooks (docs/parity.md)."""


def check(scope: Scope) -> Iterator[Diagnosis]:
    """Look at what the pipelines' sources hang on."""
    for declared in scope.pipelines:
        for action in declared["stages"][0]["actions"]:
            provider = action["actionTypeId"]["provider"]
            if provider == "CodeStarSourceConnection":
                yield from _connection(scope, declared, action)
            elif provider == "CodeCommit":
                yield from _repository(scope, declared["name"], action["configuration"])
        yield from _transitions(scope.client("codepipeline"), declared["name"])
    yield from _webhooks(scope)
    for declared, failed in scope.failures:
        if failed.stage == declared["stages"][0]["name"] and "BranchDoesNotExist" not in failed.summary:
            yield Diagnosis(
                declared["name"],
                "its source cannot be read",
                f"{failed.stage}/{failed.name}: {failed.summary}",
                f"Mend what the reason names, then:  homeport retry {declared['name']}",
            )


def _connection(scope: Scope, pipeline: dict[str, Any], action: dict[str, Any]) -> Iterator[Diagnosis]:
    name, configuration = pipeline["name"], action["configuration"]
    arn = configuration["ConnectionArn"]
    service = "codestar-connections" if ":codestar-connections:" in arn else "codeconnections"
    client = scope.client(service)
    connection = client.get_connection(ConnectionArn=arn)["Connection"]
    if connection["ConnectionStatus"] != "AVAILABLE":
        mend = "Give your consent in the console: Developer Tools, Settings, Connections, Update pending connection"
        if scope.target.name is TargetName.local:
            untag = f"aws codeconnections untag-resource --resource-arn {arn} --tag-keys homeport:consent"
            mend = f"{untag} (on AWS: {mend})"
        yield Diagnosis(
            name,
            "its connection is not usable, so no push is heard",
            f"{connection['ConnectionName']} is {connection['ConnectionStatus']}",
            mend,
        )
    yield from _filters(pipeline, action)
    if scope.target.name is TargetName.local:
        yield from _deliveries(scope, client, pipeline, configuration)


def _filters(pipeline: dict[str, Any], action: dict[str, Any]) -> Iterator[Diagnosis]:
    """Filters that let no push to the pipeline's own branch through."""
    branch = action["configuration"].get("BranchName", "main")
    mine = [
        each["gitConfiguration"]
        for each in pipeline.get("triggers", [])
        if each["gitConfiguration"]["sourceActionName"] == action["name"]
    ]
    detects = action["configuration"].get("DetectChanges", "true").lower() == "true"
    if not mine and not detects:
        yield Diagnosis(
            pipeline["name"],
            "nothing starts it: its source does not detect changes, and it has no trigger",
            f"{action['name']}: DetectChanges is false",
            "Set DetectChanges to true, or give the pipeline a trigger with a push filter",
        )
    pushes = [push for each in mine for push in each.get("push", [])]
    if pushes and not any(_lets_in(push.get("branches"), branch) for push in pushes):
        asked = json.dumps([push.get("branches") or push.get("tags") for push in pushes])
        yield Diagnosis(
            pipeline["name"],
            f"its filters let no push to its branch {branch} through",
            f"the trigger of {action['name']} has the push filters {asked}",
            f'Add {{"branches": {{"includes": ["{branch}"]}}}} to its push filters, or set BranchName',
        )


def _lets_in(branches: dict[str, list[str]] | None, branch: str) -> bool:
    if branches is None:
        return False
    included, excluded = branches.get("includes", ["*"]), branches.get("excludes", [])
    return any(fnmatchcase(branch, each) for each in included) and not any(
        fnmatchcase(branch, each) for each in excluded
    )


def _deliveries(
    scope: Scope, client: Any, pipeline: dict[str, Any], configuration: dict[str, str]
) -> Iterator[Diagnosis]:
    """The last webhook calls that a connection at home got, read with its own secret."""
    arn = configuration["ConnectionArn"]
    tags = {each["Key"]: each["Value"] for each in client.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    if _SECRET_TAG not in tags:
        return
    try:
        stored = scope.client("secretsmanager").get_secret_value(SecretId=tags[_SECRET_TAG])["SecretString"]
        secret = json.loads(stored)["webhookSecret"]
    except (ClientError, ValueError, KeyError) as error:
        yield Diagnosis(
            pipeline["name"],
            "its webhook has no secret, so every delivery is refused",
            f"the secret {tags[_SECRET_TAG]}: {error}",
            'Store {"webhookSecret": "…", "token": "…"} in it, with the secret that GitHub signs with',
        )
        return
    address = f"{client.meta.endpoint_url}/webhooks/{arn.rpartition('/')[2]}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = sorted(json.load(answer), key=lambda each: each["receivedAt"])
    except (urllib.error.URLError, ValueError):
        return
    if not found:
        return
    last = found[-1]
    told = f"the last of {len(found)} deliveries, {last['deliveryId']}, was {last['status']}: {last.get('reason', '')}"
    if last["status"] == "Refused":
        yield Diagnosis(
            pipeline["name"],
            "its webhook is signed with another secret, so its deliveries are refused",
            told,
            f"Enter the webhookSecret of {tags[_SECRET_TAG]} at GitHub: Settings, Webhooks, {address}",
        )
    elif last["status"] == "Failed":
        again = f"curl -X POST {address}/{last['deliveryId']} -H 'Authorization: Bearer <webhookSecret>'"
        mend = f"Mend what the reason names, then deliver it again:  {again}"
        yield Diagnosis(pipeline["name"], "the last delivery of its webhook failed", told, mend)
    elif last["status"] == "Ignored":
        yield Diagnosis(
            pipeline["name"],
            "the last delivery of its webhook started nothing",
            told,
            f"Push to {configuration['FullRepositoryId']}, branch {configuration.get('BranchName')}, "
            "or widen the filters",
        )


def _repository(scope: Scope, pipeline: str, configuration: dict[str, str]) -> Iterator[Diagnosis]:
    codecommit = scope.client("codecommit")
    name, branch = configuration["RepositoryName"], configuration["BranchName"]
    branches = codecommit.list_branches(repositoryName=name)["branches"]
    described = codecommit.get_repository(repositoryName=name)["repositoryMetadata"]
    if not branches:
        yield Diagnosis(
            pipeline,
            "its repository is empty: nothing was released yet",
            f"{name} has no branches",
            f"git push homeport (which is git push {described['cloneUrlHttp']} HEAD:refs/heads/{branch})",
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
    yield from _rules(scope.client("events"), pipeline, name, described["Arn"])


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


def _webhooks(scope: Scope) -> Iterator[Diagnosis]:
    """Webhooks of CodePipeline's own: what was refused, and filters that can never match."""
    declared = {each["name"]: each for each in scope.pipelines}
    for page in scope.client("codepipeline").get_paginator("list_webhooks").paginate():
        for webhook in page["webhooks"]:
            definition = webhook["definition"]
            if definition["targetPipeline"] not in declared:
                continue
            if webhook.get("errorCode"):
                yield Diagnosis(
                    definition["name"],
                    "its last delivery was refused",
                    f"{webhook['errorCode']}: {webhook.get('errorMessage', '')}",
                    "Set the same secret on both sides (SecretToken, and the webhook's page at GitHub), then deliver "
                    f"again from that page; its address is {webhook['url']}",
                )
            yield from _webhook_filters(definition, declared[definition["targetPipeline"]])


def _webhook_filters(definition: dict[str, Any], pipeline: dict[str, Any]) -> Iterator[Diagnosis]:
    configuration: dict[str, str] = next(
        (
            action["configuration"]
            for action in pipeline["stages"][0]["actions"]
            if action["name"] == definition["targetAction"]
        ),
        {},
    )
    branch = configuration.get("BranchName") or configuration.get("Branch", "")
    for each in definition["filters"]:
        wanted = each.get("matchEquals", "")
        unknown = [name for name in re.findall(r"\{(\w+)\}", wanted) if name not in configuration]
        expanded = re.sub(r"\{(\w+)\}", lambda match: configuration.get(match[1], match[0]), wanted)
        heard = f"refs/heads/{branch}"
        if unknown or (each["jsonPath"] == "$.ref" and wanted and expanded != heard):
            yield Diagnosis(
                definition["name"],
                f"its filter matches no push to {branch}",
                f"{each['jsonPath']} must be {expanded!r}, and a push to {branch} says {heard!r}",
                f"Set matchEquals to 'refs/heads/{{{'BranchName' if 'BranchName' in configuration else 'Branch'}}}'",
            )
