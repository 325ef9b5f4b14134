"""The delivery stack that the benchmarks and trials of pipelines work with: a repository, a build, an ECS service, a
bucket, pipelines between them, and a working copy that is pushed from."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from homeport.pytest_plugin import RunningEngine

BUCKET = "artifacts"
IMAGE = "homeport/python:3.11"
"""What the service runs; it is made from Debian packages when it is first wanted."""
_TRUSTED = ("codepipeline", "codebuild", "events", "ecs-tasks")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": f"{one}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        for one in _TRUSTED
    ],
}
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
Pipeline = dict[str, Any]
T = TypeVar("T")


class Engine(RunningEngine):
    """An engine whose clients are made once: to make one costs more than most calls."""

    def __init__(self, data: Path, **environment: str) -> None:
        super().__init__(data, **environment)
        self._clients: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:
        if options:
            return super().client(service, **options)
        if service not in self._clients:
            self._clients[service] = super().client(service)
        return self._clients[service]


def prepare(engine: RunningEngine) -> str:
    """A bucket, a repository with one commit, and a role that may do everything; returns the role's ARN."""
    engine.client("s3").create_bucket(Bucket=BUCKET)
    codecommit = engine.client("codecommit")
    codecommit.create_repository(repositoryName="app")
    codecommit.put_file(
        repositoryName="app",
        branchName="main",
        filePath="index.html",
        fileContent=b"hello",
        commitMessage="Hello",
    )
    iam = engine.client("iam")
    role = iam.create_role(RoleName="delivery", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]
    iam.put_role_policy(RoleName="delivery", PolicyName="all", PolicyDocument=json.dumps(_ALL))
    return str(role["Arn"])


def project(engine: RunningEngine, role: str, *commands: str) -> None:
    """A CodeBuild project `app` that runs the commands and keeps `imagedefinitions.json` and `index.html`."""
    spec = {
        "version": 0.2,
        "phases": {"build": {"commands": list(commands)}},
        "artifacts": {"files": ["imagedefinitions.json", "index.html"]},
    }
    engine.client("codebuild").create_project(
        name="app",
        source={"type": "CODEPIPELINE", "buildspec": json.dumps(spec)},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=role,
    )


def service(engine: RunningEngine) -> None:
    """An ECS service `web` of one task, which is healthy five seconds after it runs."""
    ecs = engine.client("ecs")
    ecs.create_cluster()
    healthy = {"command": ["CMD-SHELL", "true"], "interval": 5, "retries": 1}
    container = {"name": "app", "image": IMAGE, "command": ["sleep", "1000000"], "stopTimeout": 2}
    ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{**container, "healthCheck": healthy}],
    )
    ecs.create_service(
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )


SOURCE = {"RepositoryName": "app", "BranchName": "main", "PollForSourceChanges": "false"}


def pipeline(name: str, role: str, *stages: dict[str, Any], mode: str = "SUPERSEDED") -> Pipeline:
    """A pipeline of one action a stage: the source, and then the stages."""
    source = action("Source", "CodeCommit", SOURCE, outputs=["Code"])
    return {
        "name": name,
        "roleArn": role,
        "pipelineType": "V2",
        "executionMode": mode,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [{"name": one["name"], "actions": [one]} for one in (source, *stages)],
    }


def action(
    category: str, provider: str, configuration: dict[str, str] | None = None, **artifacts: list[str]
) -> dict[str, Any]:
    """An action named as its category is."""
    return {
        "name": category,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration or {},
        **{f"{kind[:-1]}Artifacts": [{"name": name} for name in names] for kind, names in artifacts.items()},
    }


def build() -> dict[str, Any]:
    """The action that builds the project `app`."""
    return action("Build", "CodeBuild", {"ProjectName": "app"}, inputs=["Code"], outputs=["Built"])


def deploy_to_bucket(key: str, artifact: str = "Code") -> dict[str, Any]:
    """The action that puts an artifact's files into the bucket."""
    return action(
        "Deploy", "S3", {"BucketName": BUCKET, "Extract": "true", "ObjectKey": key}, inputs=[artifact]
    )


def deploy_to_service() -> dict[str, Any]:
    """The action that deploys the build's image definitions to the service `web`."""
    return action("Deploy", "ECS", {"ClusterName": "default", "ServiceName": "web"}, inputs=["Built"])


def start_on_push(engine: RunningEngine, role: str, pipeline_name: str) -> None:
    """A rule that starts the pipeline with the commit of each push to main."""
    events = engine.client("events")
    pattern = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": ["main"]},
    }
    revision = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "<commit>"}
    template = json.dumps({"sourceRevisions": [revision]})
    events.put_rule(Name="push", EventPattern=json.dumps(pattern))
    target = {
        "Id": "pipeline",
        "Arn": f"arn:aws:codepipeline:{engine.region}:{engine.account}:{pipeline_name}",
        "RoleArn": role,
        "InputTransformer": {
            "InputPathsMap": {"commit": "$.detail.commitId"},
            "InputTemplate": template.replace('"<commit>"', "<commit>"),
        },
    }
    events.put_targets(Rule="push", Targets=[target])


class WorkingCopy:
    """A clone of the repository, pushed from with generated git credentials."""

    def __init__(self, engine: RunningEngine, folder: Path, repository: str = "app") -> None:
        self.folder = folder
        iam = engine.client("iam")
        iam.create_user(UserName="ada")
        iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=json.dumps(_ALL))
        made = iam.create_service_specific_credential(UserName="ada", ServiceName="codecommit.amazonaws.com")[
            "ServiceSpecificCredential"
        ]
        found = engine.client("codecommit").get_repository(repositoryName=repository)["repositoryMetadata"]
        login = f"{made['ServiceUserName']}:{made['ServicePassword']}@"
        url = found["cloneUrlHttp"].replace("://", f"://{login}")
        subprocess.run(["git", "clone", "--quiet", url, str(folder)], check=True, capture_output=True)

    def push(self, text: str) -> str:
        """Commit the text as `index.html`, and what else was changed, push it to main, and return the commit."""
        (self.folder / "index.html").write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", f"Say {text}")
        self._git("push", "--quiet", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()


def until(look: Callable[[], T], seconds: float = 120.0, every: float = 0.05) -> T:
    """What `look` sees, once it is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen in {seconds:.0f} s")
        time.sleep(every)
    return seen


def executions(engine: RunningEngine, name: str) -> list[dict[str, Any]]:
    """The executions of a pipeline, newest first."""
    pages = engine.client("codepipeline").get_paginator("list_pipeline_executions")
    return [one for page in pages.paginate(pipelineName=name) for one in page["pipelineExecutionSummaries"]]


def actions(engine: RunningEngine, name: str, **filters: str) -> list[dict[str, Any]]:
    """The action executions of a pipeline, newest first; `pipelineExecutionId` keeps those of one execution."""
    pages = engine.client("codepipeline").get_paginator("list_action_executions")
    given = {"filter": filters} if filters else {}
    return [
        one for page in pages.paginate(pipelineName=name, **given) for one in page["actionExecutionDetails"]
    ]
