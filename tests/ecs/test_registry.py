"""Tasks whose images lie in the engine's own registry: pulled by digest, as the execution role."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from homeport.engine.services.ecr_images import parse
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import TRUST, Ecs, execution_role
from tests.waiting import until

MANAGED = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


class Registry:
    def __init__(self, ecs: Ecs, folder: Path) -> None:
        self.ecs = ecs
        self.folder = folder
        self.ecr = ecs.engine.client("ecr")
        self.ecr.create_repository(repositoryName="app")
        self.host = f"127.0.0.1:{ecs.engine.port}"
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        auths = {"auths": {self.host: {"auth": token}}}
        (folder / "config.json").write_text(json.dumps(auths))

    def push(self, tag: str, text: str) -> str:
        """Push an image that differs by a label; returns its name as task definitions write it."""
        name = f"{self.host}/app:{tag}"
        config = ["--config", str(self.folder)]
        made = subprocess.run(["docker", "create", IMAGE, "true"], check=True, capture_output=True, text=True)
        container = made.stdout.strip()
        subprocess.run(
            ["docker", "commit", "-c", f"ENV TEXT={text}", container, name], check=True, capture_output=True
        )
        subprocess.run(["docker", "rm", container], check=True, capture_output=True)
        subprocess.run(["docker", *config, "push", name], check=True, capture_output=True)
        subprocess.run(["docker", "rmi", name], check=True, capture_output=True)
        return f"{self.ecs.engine.account}.dkr.ecr.{self.ecs.engine.region}.amazonaws.com/app:{tag}"


@pytest.fixture
def registry(ecs: Ecs, tmp_path: Path) -> Registry:
    return Registry(ecs, tmp_path)


@pytest.fixture
def role(ecs: Ecs) -> str:
    iam = ecs.engine.client("iam")
    arn = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="execution", PolicyArn=MANAGED)
    return arn


def test_a_tag_is_resolved_once_for_a_deployment(registry: Registry, role: str):
    ecs, image = registry.ecs, registry.push("v1", "one")
    ecs.serve(ecs.define("exec sleep 600", image=image, task={"executionRoleArn": role}))
    ecs.until_stable()
    first = registry.ecr.describe_images(repositoryName="app")["imageDetails"][0]["imageDigest"]
    registry.push("v1", "two")
    ecs.api.update_service(service="web", desiredCount=2)
    until(lambda: [t for t in ecs.tasks() if t["lastStatus"] == "RUNNING"], lambda tasks: len(tasks) == 2)
    assert {task["containers"][0]["imageDigest"] for task in ecs.tasks()} == {first}


def test_an_image_that_no_task_has_any_more_is_removed_from_the_machine(own_engine, tmp_path: Path):
    own_engine.start(HOMEPORT_CLOCK_SPEED="1200")
    ecs = Ecs(own_engine)
    ecs.api.create_cluster()
    registry, task = Registry(ecs, tmp_path), {"executionRoleArn": execution_role(own_engine, "ecr:*")}
    ecs.serve(ecs.define("exec sleep 600", image=registry.push("v1", "one"), task=task))
    ecs.run(ecs.define("true", "once", image=registry.push("v2", "two"), task=task))

    def present() -> int:
        listed = ["docker", "images", "--quiet", "--filter", f"reference={registry.host}/*/*"]
        return len(subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split())

    until(present, lambda count: count == 2)
    until(present, lambda count: count == 1)
    assert [task["lastStatus"] for task in ecs.tasks()] == ["RUNNING"]


def test_a_tag_that_is_not_there_is_named(registry: Registry, role: str):
    ecs = registry.ecs
    image = registry.push("v1", "one").replace(":v1", ":v7")
    task = ecs.until_stopped(ecs.run(ecs.define("true", image=image, task={"executionRoleArn": role})))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "not found" in task["stoppedReason"] and "v7" in task["stoppedReason"]


def test_a_role_that_may_not_pull_is_told_which_permission(registry: Registry, role: str):
    ecs, image = registry.ecs, registry.push("v1", "one")
    ecs.engine.client("iam").detach_role_policy(RoleName="execution", PolicyArn=MANAGED)
    task = ecs.until_stopped(ecs.run(ecs.define("true", image=image, task={"executionRoleArn": role})))
    assert task["stopCode"] == "TaskFailedToStart"
    assert (
        "ecr:BatchGetImage" in task["stoppedReason"] or "ecr:GetAuthorizationToken" in task["stoppedReason"]
    )


def test_a_hotswap_of_the_cdk_names_an_image_by_the_endpoint():
    """It makes the end of the registry's name of the endpoint that it was given."""
    named = parse("123456789012.dkr.ecr.us-east-1.127.0.0.1/app:1")

    assert named and named.name == "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"
    assert parse("127.0.0.1/app:1") is None


def test_a_private_registry_is_asked_with_the_secret_of_the_definition(registry: Registry):
    """The engine's registry, by another name than ECR's, is a private registry as any other."""
    ecs, image = registry.ecs, f"{registry.host}/app:v1"
    registry.push("v1", "one")
    token = registry.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, password = base64.b64decode(token).decode().split(":", 1)
    secrets = ecs.engine.client("secretsmanager")
    login = json.dumps({"username": username, "password": password})
    secret = secrets.create_secret(Name="registry", SecretString=login)["ARN"]
    role = execution_role(ecs.engine, "secretsmanager:GetSecretValue")

    def run(**members: Any) -> dict[str, Any]:
        definition = ecs.define("true", image=image, task={"executionRoleArn": role}, **members)
        return ecs.until_stopped(ecs.run(definition))

    assert run()["stoppedReason"].startswith("CannotPullContainerError: ")
    done = run(repositoryCredentials={"credentialsParameter": secret})
    assert done["containers"][0].get("exitCode") == 0, done["stoppedReason"]
    secrets.put_secret_value(SecretId=secret, SecretString="plain")
    subprocess.run(["docker", "rmi", image], check=True, capture_output=True)
    told = run(repositoryCredentials={"credentialsParameter": "registry"})["stoppedReason"]
    assert "the secret registry does not contain a username and a password" in told
