"""What RegisterTaskDefinition takes and refuses.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.ecs.conftest import NETWORK, Ecs

LOGS = {"awslogs-group": "/app", "awslogs-region": "us-east-1"}
PREFIXED = {**LOGS, "awslogs-stream-prefix": "ecs"}
ROLE = "arn:aws:iam::123456789012:role/execution"


def register(
    ecs: Ecs, task: dict[str, Any] | None = None, fargate: bool = True, **container: Any
) -> dict[str, Any]:
    on_fargate = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]} if fargate else {}
    size = {"cpu": "256", "memory": "512"}
    containers = [{"name": "app", "image": "nginx", **container}]
    settings = {"family": "app", "containerDefinitions": containers, **on_fargate, **size, **(task or {})}
    return ecs.api.register_task_definition(**settings)["taskDefinition"]


CHECK = {"command": ["CMD", "true"]}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": LOGS}},
            "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver "
            "awslogs.",
        ),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": PREFIXED}},
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ),
        (
            {"logConfiguration": {"logDriver": "syslog"}, "mountPoints": [{"sourceVolume": "v"}]},
            "do not support the log driver syslog",
        ),
        ({"logConfiguration": {"logDriver": "json-file"}}, "do not support the log driver json-file"),
        ({"logConfiguration": {"logDriver": "awsfirelens"}}, "homeport does not have FireLens"),
        (
            {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"},
            "Fargate requires task definition to have execution role ARN to support ECR images.",
        ),
        (
            {"secrets": [{"name": "A", "valueFrom": "/a"}]},
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ),
        (
            {
                "environment": [{"name": "A", "value": "1"}],
                "secrets": [{"name": "A", "valueFrom": "/a"}],
                "role": True,
            },
            "not shared with any new or existing environment variables set on the container, such as 'A'.",
        ),
        ({"privileged": True}, "Fargate compatible task definitions do not support privileged"),
        ({"linuxParameters": {"maxSwap": 100}}, "do not support maxSwap"),
        (
            {"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN", "SYS_PTRACE"]}}},
            "capabilities SYS_ADMIN",
        ),
        ({"hostname": "app"}, "hostname is not supported on container when networkMode=awsvpc."),
        ({"links": ["db"]}, "Links are not supported when networkMode=awsvpc."),
        ({"stopTimeout": 121}, "must not be above 120 seconds"),
        ({"healthCheck": {**CHECK, "interval": 4}}, "interval must be between 5 and 300"),
        ({"healthCheck": {**CHECK, "timeout": 61}}, "timeout must be between 2 and 60"),
        ({"healthCheck": {**CHECK, "retries": 11}}, "retries must be between 1 and 10"),
        ({"healthCheck": {**CHECK, "startPeriod": 301}}, "startPeriod must be between 0 and 300"),
        ({"restartPolicy": {"enabled": True, "restartAttemptPeriod": 59}}, "between 60 and 1800"),
        ({"memory": 513}, "its containers reserve 513, the task has 512"),
        ({"name": "my app"}, "Container.name contains invalid characters."),
        (
            {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::settings/app.txt"}]},
            "must be the ARN of an object of Amazon S3 whose name ends in .env",
        ),
        (
            {"resourceRequirements": [{"type": "GPU", "value": "1"}]},
            "homeport has no GPUs for the container 'app'",
        ),
    ],
)
def test_a_container_that_fargate_does_not_run_is_refused(
    ecs: Ecs, container: dict[str, Any], message: str
) -> None:
    task = {"executionRoleArn": ROLE} if container.get("role") else {}
    members = {key: value for key, value in container.items() if key != "role"}
    with pytest.raises(ClientError) as refusal:
        register(ecs, task, **members)
    assert refusal.value.response["Error"]["Code"] == "ClientException"
    assert message in refusal.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"ipcMode": "task"}, "Tasks using the Fargate launch type do not support ipcMode."),
        ({"volumes": [{"name": "v", "host": {"sourcePath": "/v"}}]}, "do not support sourcePath"),
        ({"ephemeralStorage": {"sizeInGiB": 20}}, "must be between 21 and 200 GiB"),
        ({"volumes": [{"name": "v", "configuredAtLaunch": True}]}, "configured at launch"),
        ({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}, "runs Linux containers"),
        (
            {"proxyConfiguration": {"type": "APPMESH", "containerName": "app"}},
            "homeport does not have App Mesh",
        ),
    ],
)
def test_a_task_that_fargate_does_not_run_is_refused(ecs: Ecs, task: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as refusal:
        register(ecs, task)
    assert message in refusal.value.response["Error"]["Message"]


def test_what_an_essential_container_cannot_be_waited_for(ecs: Ecs) -> None:
    containers = [
        {"name": "app", "image": "nginx", "dependsOn": [{"containerName": "setup", "condition": "SUCCESS"}]},
        {"name": "setup", "image": "nginx"},
    ]
    with pytest.raises(ClientError, match="can't be set on the essential container 'setup'"):
        ecs.define_containers(containers)
    containers[1]["essential"] = False
    ecs.define_containers(containers)


def test_a_definition_says_where_it_may_run(ecs: Ecs) -> None:
    assert register(ecs)["compatibilities"] == ["EC2", "FARGATE"]
    assert register(ecs, {"networkMode": "awsvpc"}, fargate=False)["compatibilities"] == ["EC2", "FARGATE"]
    bridge = register(ecs, fargate=False, privileged=True, hostname="app")
    assert bridge["compatibilities"] == ["EC2"]
    with pytest.raises(ClientError, match="Task definition does not support launch_type FARGATE"):
        ecs.run(bridge["taskDefinitionArn"])
    with pytest.raises(ClientError, match="Task definition does not support launch_type FARGATE"):
        ecs.serve(bridge["taskDefinitionArn"])


def test_what_run_task_refuses(ecs: Ecs) -> None:
    definition = ecs.define("true")
    strategy = [{"capacityProvider": "FARGATE"}]
    for members, message in (
        (
            {"launchType": "FARGATE", "capacityProviderStrategy": strategy},
            "a launch type or a capacity provider",
        ),
        ({"count": 11}, "count should be between 1 and 10"),
        ({"propagateTags": "SERVICE"}, "propagateTags"),
        ({"startedBy": "a" * 129}, "startedBy"),
        (
            {"overrides": {"containerOverrides": [{"name": "app", "command": ["a" * 8192]}]}},
            "Container Overrides length must be at most 8192",
        ),
    ):
        with pytest.raises(ClientError, match=message):
            ecs.api.run_task(taskDefinition=definition, networkConfiguration=NETWORK, **members)


def test_options_that_the_log_driver_does_not_have_are_named(ecs: Ecs) -> None:
    logs = {"logDriver": "awslogs", "options": {**PREFIXED, "log_key": "log"}}
    with pytest.raises(ClientError, match="Log driver awslogs disallows options: log_key"):
        register(ecs, fargate=False, logConfiguration=logs)


def test_what_asks_for_too_much_or_nothing_is_refused(ecs: Ecs) -> None:
    for call, message in (
        (lambda: ecs.api.describe_services(services=["web"] * 11), "Services cannot be more than 10"),
        (lambda: ecs.api.describe_tasks(tasks=["a"] * 101), "Tasks cannot be more than 100"),
        (lambda: ecs.api.describe_tasks(tasks=[]), "Tasks cannot be empty"),
        (lambda: ecs.api.list_tasks(serviceName="nothing"), "Service not found"),
    ):
        with pytest.raises(ClientError, match=message):
            call()
    missing = ecs.api.describe_tasks(tasks=["abc"])["failures"]
    assert missing == [{"arn": "arn:aws:ecs:us-east-1:123456789012:task/default/abc", "reason": "MISSING"}]


def test_a_task_on_fargate_says_what_it_is_on(ecs: Ecs) -> None:
    arn = ecs.run(ecs.define("exec sleep 60", task={"ephemeralStorage": {"sizeInGiB": 30}}))
    task = ecs.task(arn)
    assert (task["platformVersion"], task["platformFamily"]) == ("1.4.0", "Linux")
    assert task["ephemeralStorage"] == {"sizeInGiB": 30}
    assert task["attributes"][0]["name"] == "ecs.cpu-architecture"
    ecs.until_running(arn)
    cluster = ecs.api.describe_clusters(include=["STATISTICS"])["clusters"][0]
    statistics = {each["name"]: each["value"] for each in cluster["statistics"]}
    assert (statistics["runningFargateTasksCount"], statistics["runningEC2TasksCount"]) == ("1", "0")
