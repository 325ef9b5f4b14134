"""The story of a missing permission: a role's action is lacking, the template adds it, the role goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.iam.conftest import Caller, allow, session_keys, trust


def template(*actions: str) -> str:
    return json.dumps(
        {
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "RoleName": "app",
                        "AssumeRolePolicyDocument": json.loads(
                            trust({"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}})
                        ),
                        "Policies": [
                            {
                                "PolicyName": "own",
                                "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow(*actions)]},
                            }
                        ],
                    },
                }
            },
            "Outputs": {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
        }
    )


def test_a_stack_update_mends_a_role_that_lacks_an_action(engine) -> None:
    cloudformation = engine.client("cloudformation")
    stack = {"StackName": "app", "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    quick = {"WaiterConfig": {"Delay": 1, "MaxAttempts": 60}}
    cloudformation.create_stack(**stack, TemplateBody=template("ecr:DescribeRepositories"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="app", **quick)
    [made] = cloudformation.describe_stacks(StackName="app")["Stacks"]
    arn = made["Outputs"][0]["OutputValue"]
    answer = engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="deploy")
    ecr = Caller(engine, session_keys(answer["Credentials"])).client("ecr")
    ecr.describe_repositories()

    with pytest.raises(ClientError) as refused:
        ecr.create_repository(repositoryName="web")
    assert refused.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": "User: arn:aws:sts::123456789012:assumed-role/app/deploy is not authorized to perform: "
        "ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:123456789012:repository/web because no "
        "identity-based policy allows the ecr:CreateRepository action",
    }

    cloudformation.update_stack(
        **stack, TemplateBody=template("ecr:DescribeRepositories", "ecr:CreateRepository")
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName="app", **quick)
    assert ecr.create_repository(repositoryName="web")["repository"]["repositoryName"] == "web"


def test_a_task_definition_needs_the_permission_to_pass_its_roles(user, role) -> None:
    task_role = role("task", trusted=trust({"Service": "ecs-tasks.amazonaws.com"}))
    ann = user("ann", allow("ecs:RegisterTaskDefinition"))
    definition = {
        "family": "web",
        "taskRoleArn": task_role,
        "containerDefinitions": [{"name": "web", "image": "app:1", "memory": 64}],
    }

    with pytest.raises(ClientError) as refused:
        ann.client("ecs").register_task_definition(**definition)

    assert refused.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:PassRole on resource: {task_role} "
        "because no identity-based policy allows the iam:PassRole action"
    )


def test_the_cli_assumes_a_role_through_its_profile(engine, user, role, tmp_path: Path) -> None:
    arn = role("app", allow("ecr:DescribeRepositories"))
    ann = user("ann", allow("sts:AssumeRole"))
    config = tmp_path / "config"
    config.write_text(
        f"[profile app]\nrole_arn = {arn}\nsource_profile = ann\nregion = us-east-1\n"
        f"[profile ann]\naws_access_key_id = {ann.keys['aws_access_key_id']}\n"
        f"aws_secret_access_key = {ann.keys['aws_secret_access_key']}\n"
    )

    assert whoami(engine, config, "app")["Arn"].startswith("arn:aws:sts::123456789012:assumed-role/app/")
    assert whoami(engine, config, "ann")["Arn"] == "arn:aws:iam::123456789012:user/ann"


def whoami(engine: Any, config: Path, profile: str) -> dict[str, str]:
    environment = {
        name: value for name, value in engine.env.items() if not name.startswith(("AWS_ACCESS", "AWS_SECRET"))
    }
    environment |= {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": profile, "PATH": os.environ["PATH"]}
    # the cli keeps a role's session in the home folder and would use that of another engine for an hour
    environment["HOME"] = str(config.parent)
    aws = str(Path(sys.executable).with_name("aws"))
    command = [aws, "sts", "get-caller-identity"]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
