"""A role that lacks one permission: the execution fails in the action that needs it, with AWS's sentence."""

import json

import pytest

from tests.codepipeline.pipelines import (
    action,
    approval,
    codecommit_source,
    declaration,
    first,
    outcome,
    put,
    role,
    s3_deploy,
)

ECS = action("Deploy", "Deploy", "ECS", {"ClusterName": "default", "ServiceName": "web"}, inputs=["Code"])
STACK = {"ActionMode": "CREATE_UPDATE", "StackName": "stack", "TemplatePath": "Code::template.json"}
NEEDED = {
    "codecommit:GetBranch": ("Source", s3_deploy()),
    "codecommit:UploadArchive": ("Source", s3_deploy()),
    "s3:PutObject": ("Source", s3_deploy()),
    "s3:GetObject": ("Deploy", s3_deploy()),
    "codebuild:StartBuild": ("Build", action("Build", "Build", "CodeBuild", {"ProjectName": "app"}, ["Code"])),
    "cloudformation:CreateStack": ("Stack", action("Stack", "Deploy", "CloudFormation", STACK, ["Code"])),
    "codepipeline:StartPipelineExecution": (
        "Call", action("Call", "Invoke", "CodePipeline", {"PipelineName": "none"}),
    ),
    "sns:Publish": ("Approve", approval() | {"configuration": {"NotificationArn": "arn:aws:sns:{}:{}:told"}}),
    "lambda:InvokeFunction": ("Call", action("Call", "Invoke", "Lambda", {"FunctionName": "f"})),
    "ecs:DescribeServices": ("Deploy", ECS),
    "ecs:RegisterTaskDefinition": ("Deploy", ECS),
    "iam:PassRole": ("Deploy", ECS),
    "ecs:UpdateService": ("Deploy", ECS),
}  # fmt: skip


@pytest.fixture
def environment(engine, delivery):
    put(engine, "{}", "template.json")
    image = {"name": "app", "imageUri": "homeport-test/busybox:2"}
    put(engine, json.dumps([image]), "imagedefinitions.json")
    engine.client("sns").create_topic(Name="told")
    arn = role(engine, "codebuild", "ecs-tasks", name="others")
    engine.client("codebuild").create_project(
        name="app", source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"}, serviceRole=arn,
        environment={"type": "LINUX_CONTAINER", "image": "none", "computeType": "BUILD_GENERAL1_SMALL"},
    )  # fmt: skip
    ecs = engine.client("ecs")
    ecs.create_cluster()
    container = {"name": "app", "image": "homeport-test/busybox:2"}
    ecs.register_task_definition(
        family="web", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        executionRoleArn=arn, containerDefinitions=[container],
    )  # fmt: skip
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    ecs.create_service(
        serviceName="web", taskDefinition="web", desiredCount=0, launchType="FARGATE",
        networkConfiguration=network,
    )  # fmt: skip


def test_each_missing_permission_is_told_by_the_action_that_needs_it(engine, environment):
    codepipeline = engine.client("codepipeline")
    for number, (permission, (_, one)) in enumerate(NEEDED.items()):
        statement = {"Effect": "Allow", "NotAction": permission, "Resource": "*"}
        poor = role(engine, name=f"poor-{number}", statements=[statement])
        text = json.dumps(one).replace("{}:{}", f"{engine.region}:{engine.account}")
        structure = declaration(
            f"p{number}",
            poor,
            ("Source", codecommit_source()),
            ("Next", json.loads(text)),
            pipelineType="V2",
        )
        codepipeline.create_pipeline(pipeline=structure)
    for number, (permission, (where, _)) in enumerate(NEEDED.items()):
        name = f"p{number}"
        status, messages = outcome(engine, name, first(engine, name))
        assert (permission, status, len(messages)) == (permission, "Failed", 1)
        user = f"User: arn:aws:sts::{engine.account}:assumed-role/poor-{number}/"
        assert (
            user in messages[0] and f"is not authorized to perform: {permission} on resource: " in messages[0]
        )
        assert f"because no identity-based policy allows the {permission} action" in messages[0]
        actions = codepipeline.list_action_executions(pipelineName=name)["actionExecutionDetails"]
        failed = next(one for one in actions if one["status"] == "Failed")
        assert (permission, failed["actionName"]) == (permission, where)
        assert failed["output"]["executionResult"]["errorDetails"]["code"] == "PermissionError"
        if permission == "codebuild:StartBuild":
            assert messages[0].startswith("Error calling startBuild: User: ")
