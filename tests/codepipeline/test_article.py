"""The article's pipeline, deployed by the aws cli: its buildspec as it is, ECR, a rolling deployment on ECS.

The stack is the example's. The article's buildspec leaves `imageDetail.json`, so an action turns it into the
`imagedefinitions.json` that CodePipeline's ECS action reads.
"""

import shutil
from pathlib import Path

import pytest

from tests.codebuild.test_docker_builds import ARTICLE
from tests.codecommit.test_git import git
from tests.codepipeline.pipelines import outcome
from tests.waiting import until

EXAMPLE = Path(__file__).parents[2] / "examples/hello"
STAGE = """\
        - Name: Definitions
          Actions:
            - Name: Definitions
              ActionTypeId: { Category: Compute, Owner: AWS, Provider: Commands, Version: "1" }
              Commands:
                - IMAGE=$(python3 -c "import json; print(json.load(open('imageDetail.json'))['ImageURI'])")
                - printf '[{"name":"web","imageUri":"%s"}]' $IMAGE > imagedefinitions.json
              InputArtifacts: [{ Name: Image }]
              OutputArtifacts: [{ Name: Definitions, Files: [imagedefinitions.json] }]
"""
LOGS = """\
              - Effect: Allow
                Action: [logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents]
                Resource: !Sub arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/codepipeline/*
"""


def template() -> str:
    """The example's template with what the article's buildspec needs."""
    text = (EXAMPLE / "template.yml").read_text()
    for before, added in (
        (
            "          - { Name: REPOSITORY_URI, ",
            "          - { Name: ACCOUNT_ID, Value: !Ref AWS::AccountId }\n",
        ),
        ("        - Name: Deploy\n          Actions:\n", STAGE),
        ("              - Effect: Allow\n                Action: iam:PassRole\n", LOGS),
    ):
        assert text.count(before) == 1
        text = text.replace(before, added + before)
    artifact = "FileName: imagedefinitions.json\n              InputArtifacts: [{ Name: "
    assert text.count(f"{artifact}Image") == 1
    return text.replace(f"{artifact}Image", f"{artifact}Definitions")


@pytest.mark.slow
def test_a_push_goes_through_the_articles_pipeline(engine, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "template.yml").write_text(template())
    (tmp_path / "buildspec.yml").write_text(ARTICLE)
    stack = "myapp-backend"
    deploy = ("cloudformation", "deploy", "--stack-name", stack, "--capabilities", "CAPABILITY_IAM")
    engine.aws(*deploy, "--template-file", str(tmp_path / "template.yml"))
    [made] = engine.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}

    git(engine, tmp_path, "init", "--quiet", "--initial-branch=main")
    git(engine, tmp_path, "add", ".")
    git(engine, tmp_path, "commit", "--quiet", "--message", "Release")
    git(engine, tmp_path, "push", "--quiet", outputs["CloneUrl"], "main")

    codepipeline = engine.client("codepipeline")
    pushed = until(
        lambda: [
            each
            for each in codepipeline.list_pipeline_executions(pipelineName=stack)[
                "pipelineExecutionSummaries"
            ]
            if each["trigger"]["triggerType"] == "CloudWatchEvent"
        ]
    )
    assert outcome(engine, stack, pushed[0]["pipelineExecutionId"], 240) == ("Succeeded", [])
    commit = git(engine, tmp_path, "rev-parse", "HEAD").stdout
    [service] = engine.client("ecs").describe_services(
        cluster=outputs["Cluster"], services=[outputs["Service"]]
    )["services"]
    definition = engine.client("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])
    [container] = definition["taskDefinition"]["containerDefinitions"]
    registry = f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com"
    assert container["image"] == f"{registry}/myapp-backend:{commit[:7]}"
    assert service["runningCount"] == 2
    assert [each["rolloutState"] for each in service["deployments"]] == ["COMPLETED"]
    [image] = engine.client("ecr").describe_images(repositoryName=stack)["imageDetails"]
    assert image["imageTags"] == [commit[:7]]
