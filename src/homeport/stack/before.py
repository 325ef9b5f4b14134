"""The step before a deployment: one task of the new version runs a command, such as a migration of the database."""

from __future__ import annotations

import json
import shlex
from typing import Any

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Value, allow, arn, attribute, sub
from homeport.stack.service import prefix

_READ_ONLY = ".taskDefinitionArn,.revision,.status,.requiresAttributes,.compatibilities"
_READ_ONLY += ",.registeredAt,.registeredBy,.deregisteredAt"
"""What DescribeTaskDefinition tells, and RegisterTaskDefinition does not take."""


def commands(manifest: Manifest, environment: str) -> list[Value]:
    """Register the service's task definition with the new image, as the deployment will, run one task of it where the
    service's tasks run, wait, print what it wrote, and fail as it did.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html"""
    name, words = manifest.container, manifest.deploy.before or []
    service = f"${{{prefix(manifest, environment)}Service.Name}}"
    overrides = shlex.quote(json.dumps({"containerOverrides": [{"name": name, "command": words}]}))
    image = f'(.containerDefinitions[] | select(.name == "{name}")).image = $image'
    run = (
        "--launch-type FARGATE --task-definition $REVISION"
        ' --network-configuration "$(jq -c .services[].networkConfiguration services.json)"'
        f" --overrides {overrides.replace('${', '${!')}"
    )
    look = "aws ecs describe-tasks --cluster ${Cluster} --tasks $TASK --output text --query"
    stream = f"{environment}/{name}/${{!TASK##*/}}"
    return [
        f"IMAGE=$(jq -r '.[] | select(.name == \"{name}\").imageUri' imagedefinitions.json)",
        sub(f"aws ecs describe-services --cluster ${{Cluster}} --services {service} > services.json"),
        "aws ecs describe-task-definition --task-definition $(jq -r .services[].taskDefinition services.json)"
        " --query taskDefinition > revision.json",
        f"jq --arg image $IMAGE 'del({_READ_ONLY}) | {image}' revision.json > task.json",
        "REVISION=$(aws ecs register-task-definition --cli-input-json file://task.json --output text"
        " --query taskDefinition.taskDefinitionArn)",
        sub(
            f"TASK=$(aws ecs run-task --cluster ${{Cluster}} {run} --output text --query 'tasks[0].taskArn')"
            ' && [ "$TASK" != None ]'
        ),
        sub(f"until [ \"$({look} 'tasks[0].lastStatus')\" = STOPPED ]; do sleep 3; done"),
        sub(
            f"aws logs get-log-events --log-group-name ${{ServiceLogs}} --log-stream-name {stream} --start-from-head"
            " --query 'events[].message' | jq -r '.[]' || true"
        ),
        sub(f"{look} 'tasks[0].[stoppedReason,containers[].reason]'"),
        sub(
            f'[ "$({look} "tasks[0].containers[?name==\'{name}\'].exitCode")" = 0 ] # the command of deploy.before'
        ),
    ]


def statements(manifest: Manifest, revisions: list[Value]) -> list[dict[str, Any]]:
    """What the pipeline may do for it besides."""
    streams = [f"{name}/{manifest.container}/*" for name in manifest.environments]
    logs: Value = [arn("logs", f"log-group:/ecs/${{AWS::StackName}}:log-stream:{each}") for each in streams]
    cluster = {"ArnEquals": {"ecs:cluster": attribute("Cluster", "Arn")}}
    return [allow(["ecs:RunTask"], revisions, cluster), allow(["logs:GetLogEvents"], logs)]
