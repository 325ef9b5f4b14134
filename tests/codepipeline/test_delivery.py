"""From a push to a running service, with real builds and containers (needs Docker)."""

import json
import random
import time

import pytest

from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    codecommit_source,
    declaration,
    ended,
    first,
    outcome,
    put,
    role,
    s3_deploy,
    until,
)

BUILDSPEC = """
version: 0.2
env:
  exported-variables: [GREETING]
phases:
  build:
    commands:
      - test ${#CODEBUILD_RESOLVED_SOURCE_VERSION} = 40
      - export GREETING=$(cat index.html)
      - printf '[{"name":"app","imageUri":"%s"}]' "$(cat image)" > imagedefinitions.json
artifacts:
  files: [index.html, imagedefinitions.json]
"""


def codebuild(engine, service_role, buildspec=BUILDSPEC):
    engine.client("codebuild").create_project(
        name="app",
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=service_role,
    )
    return action(
        "Build", "Build", "CodeBuild", {"ProjectName": "app"}, ["Code"], ["Built"], namespace="Build"
    )


def rule(engine, service_role):
    events = engine.client("events")
    pattern = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": ["main"]},
    }
    arn = events.put_rule(Name="push", EventPattern=json.dumps(pattern))["RuleArn"]
    target = f"arn:aws:codepipeline:{engine.region}:{engine.account}:web"
    events.put_targets(Rule="push", Targets=[{"Id": "pipeline", "Arn": target, "RoleArn": service_role}])
    return arn


@pytest.fixture
def everything(engine):
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "homeport-test/busybox:2", "image")
    return role(engine, "codepipeline", "codebuild", "events")


@pytest.mark.slow
def test_a_push_starts_the_pipeline_and_its_build_is_deployed(engine, everything):
    deploy = s3_deploy(key="#{Build.GREETING}") | {"inputArtifacts": [{"name": "Built"}]}
    structure = declaration(
        "web",
        everything,
        ("Source", codecommit_source()),
        ("Build", codebuild(engine, everything)),
        ("Deploy", deploy),
    )
    codepipeline = engine.client("codepipeline")
    codepipeline.create_pipeline(pipeline=structure)
    codepipeline.stop_pipeline_execution(
        pipelineName="web", pipelineExecutionId=first(engine, "web"), abandon=True
    )
    arn = rule(engine, everything)
    commit = put(engine, "hello")
    newest = until(lambda: (found := _executions(engine)) and len(found) == 2 and found[0])
    assert newest["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": arn}
    assert outcome(engine, "web", newest["pipelineExecutionId"], 120) == ("Succeeded", [])
    assert _executions(engine)[0]["sourceRevisions"][0]["revisionId"] == commit
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="hello/index.html")["Body"].read() == b"hello"


def _executions(engine):
    return engine.client("codepipeline").list_pipeline_executions(pipelineName="web")[
        "pipelineExecutionSummaries"
    ]


def test_a_role_without_a_permission_fails_in_that_action_with_awss_message(engine, everything):
    allowed = [
        {
            "Effect": "Allow",
            "Action": ["codecommit:GetBranch", "codecommit:GetCommit", "s3:*"],
            "Resource": "*",
        }
    ]
    poor = role(engine, name="poor", statements=allowed)
    structure = declaration("web", poor, ("Source", codecommit_source()), ("Deploy", s3_deploy()))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    status, messages = outcome(engine, "web", first(engine, "web"))
    assert status == "Failed"
    assert "is not authorized to perform: codecommit:UploadArchive on resource: " in messages[0]


@pytest.mark.slow
def test_commands_run_as_the_pipelines_role_and_export_variables(engine, everything):
    put(engine, "hello")
    commands = action(
        "Run", "Compute", "Commands", inputs=["Code"], outputs=["Built"], namespace="Run",
        commands=[
            "export WHO=$(aws sts get-caller-identity --query Arn --output text)",
            "mkdir out && echo $LEVEL > out/level",
        ],
        outputVariables=["WHO"], environmentVariables=[{"name": "LEVEL", "value": "#{variables.level}"}],
    )  # fmt: skip
    deploy = s3_deploy() | {"inputArtifacts": [{"name": "Built"}]}
    structure = declaration(
        "web", everything, ("Source", codecommit_source()), ("Run", commands), ("Deploy", deploy),
        pipelineType="V2", variables=[{"name": "level", "defaultValue": "eleven"}],
    )  # fmt: skip
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web"), 120) == ("Succeeded", [])
    details = engine.client("codepipeline").list_action_executions(pipelineName="web")[
        "actionExecutionDetails"
    ]
    run = next(one for one in details if one["actionName"] == "Run")
    assert ":assumed-role/pipeline/" in run["output"]["outputVariables"]["WHO"]
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="site/out/level")["Body"].read() == b"eleven\n"


@pytest.mark.slow
def test_killed_while_it_starts_a_build_there_is_still_one_build(own_engine):
    engine = own_engine
    engine.start()
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "homeport-test/busybox:2", "image")
    put(engine, "hello")
    service_role = role(engine, "codepipeline", "codebuild")
    build = codebuild(engine, service_role)
    engine.stop()
    engine.start(HOMEPORT_FAIL_AT="codepipeline.action.start.done")
    structure = declaration("web", service_role, ("Source", codecommit_source()), ("Build", build))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    engine.wait_dead(60)
    engine.start()
    id = first(engine, "web")
    for _ in range(3):
        time.sleep(random.uniform(0.2, 2.0))
        engine.restart()
    assert outcome(engine, "web", id, 120) == ("Succeeded", [])
    assert len(engine.client("codebuild").list_builds_for_project(projectName="app")["ids"]) == 1


@pytest.mark.slow
def test_an_image_is_built_and_published_under_its_tags(engine, everything):
    put(engine, "FROM scratch\nCOPY index.html /\n", "web/Dockerfile")
    put(engine, "hello", "web/index.html")
    engine.client("ecr").create_repository(repositoryName="app")
    configuration = {
        "ECRRepositoryName": "app",
        "DockerFilePath": "web",
        "ImageTags": "one,#{Src.BranchName}",
    }
    build = action("Image", "Build", "ECRBuildAndPublish", configuration, inputs=["Code"], namespace="Image")
    deploy = s3_deploy(key="#{Image.ECRRepositoryName}/#{Image.ECRImageDigestId}")
    structure = declaration(
        "web",
        everything,
        ("Source", codecommit_source(namespace="Src")),
        ("Build", build),
        ("Deploy", deploy),
        pipelineType="V2",
    )
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web"), 120) == ("Succeeded", [])
    (image,) = engine.client("ecr").describe_images(repositoryName="app")["imageDetails"]
    assert sorted(image["imageTags"]) == ["main", "one"]
    key = f"app/{image['imageDigest']}/web/index.html"
    assert engine.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"hello"


@pytest.mark.slow
def test_the_build_of_an_abandoned_action_goes_on(engine, everything):
    buildspec = "{version: 0.2, phases: {build: {commands: [sleep 3]}}, artifacts: {files: [index.html]}}"
    build = codebuild(engine, everything, buildspec)
    put(engine, "hello")
    structure = declaration("web", everything, ("Source", codecommit_source()), ("Build", build))
    codepipeline = engine.client("codepipeline")
    codepipeline.create_pipeline(pipeline=structure)
    id = first(engine, "web")

    def external():
        newest = codepipeline.list_action_executions(pipelineName="web")["actionExecutionDetails"][0]
        return newest["output"]["executionResult"].get("externalExecutionId")

    build_id = until(external)
    codepipeline.stop_pipeline_execution(pipelineName="web", pipelineExecutionId=id, abandon=True)
    assert ended(engine, "web", id)["status"] == "Stopped"
    newest = codepipeline.list_action_executions(pipelineName="web")["actionExecutionDetails"][0]
    assert (newest["actionName"], newest["status"]) == ("Build", "Abandoned")

    def status():
        return engine.client("codebuild").batch_get_builds(ids=[build_id])["builds"][0]["buildStatus"]

    assert status() == "IN_PROGRESS"
    assert until(status, lambda status: status != "IN_PROGRESS") == "SUCCEEDED"
    assert ended(engine, "web", id)["status"] == "Stopped"


@pytest.mark.slow
def test_commands_and_builds_are_rules_of_conditions(engine, everything):
    put(engine, "hello")
    codebuild(engine, everything)

    def rule_of(name, provider, configuration, **members):
        kind = {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "ruleTypeId": kind, "configuration": configuration, **members}

    rules = [
        rule_of("Build", "CodeBuild", {"ProjectName": "app"}, inputArtifacts=[{"name": "Code"}]),
        rule_of(
            "Look", "Commands", {}, commands=["grep hello index.html"], inputArtifacts=[{"name": "Code"}]
        ),
        rule_of("Nope", "Commands", {}, commands=["exit 3"]),
    ]
    deploy = {"name": "Deploy", "actions": [s3_deploy()]}
    deploy["beforeEntry"] = {"conditions": [{"result": "FAIL", "rules": rules}]}
    structure = declaration("web", everything, ("Source", codecommit_source()), deploy, pipelineType="V2")
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web"), 120) == ("Failed", [])
    found = engine.client("codepipeline").list_rule_executions(pipelineName="web")["ruleExecutionDetails"]
    assert {one["ruleName"]: one["status"] for one in found} == {
        "Build": "Succeeded",
        "Look": "Succeeded",
        "Nope": "Failed",
    }
