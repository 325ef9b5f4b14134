"""Builds that make images: the article's buildspec, word for word."""

from __future__ import annotations

import io
import json
import zipfile

from tests.codebuild.conftest import Builds, output

ARTICLE = r"""version: 0.2
phases:
  pre_build:
    commands:
      - echo Logging into Amazon ECR...
      - aws ecr get-login-password --region $AWS_REGION \
        | docker login --username AWS --password-stdin $ACCOUNT_ID.dkr.ecr.$AWS_REGION.amazonaws.com
      - REPOSITORY_URI=$ACCOUNT_ID.dkr.ecr.$AWS_REGION.amazonaws.com/myapp-backend
      - IMAGE_TAG=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)
  build:
    commands:
      - echo Building the Docker image...
      - docker build -t $REPOSITORY_URI:$IMAGE_TAG .
  post_build:
    commands:
      - echo Pushing the Docker image...
      - docker push $REPOSITORY_URI:$IMAGE_TAG
      - printf '{"ImageURI":"%s"}' $REPOSITORY_URI:$IMAGE_TAG > imageDetail.json
artifacts:
  files:
    - imageDetail.json
"""


def article(builds: Builds, role: str) -> str:
    """A repository with the article's buildspec and a Dockerfile; returns the commit."""
    engine = builds.engine
    codecommit = engine.client("codecommit")
    codecommit.create_repository(repositoryName="myapp")
    commit = codecommit.create_commit(
        repositoryName="myapp",
        branchName="main",
        putFiles=[
            {"filePath": "buildspec.yml", "fileContent": ARTICLE.encode()},
            {
                "filePath": "Dockerfile",
                "fileContent": b"FROM python:3.11-slim\nCOPY app.py /\nRUN python3 -V\n",
            },
            {"filePath": "app.py", "fileContent": b"print('hello')\n"},
        ],
    )
    engine.client("ecr").create_repository(repositoryName="myapp-backend")
    engine.client("s3").create_bucket(Bucket="artifacts")
    builds.project(
        "myapp",
        role,
        source={
            "type": "CODECOMMIT",
            "location": f"https://git-codecommit.{engine.region}.amazonaws.com/v1/repos/myapp",
        },
        artifacts={"type": "S3", "location": "artifacts", "packaging": "ZIP", "name": "image.zip"},
        environment={
            "image": "aws/codebuild/standard:7.0",
            "privilegedMode": True,
            "environmentVariables": [{"name": "ACCOUNT_ID", "value": engine.account}],
        },
    )
    return str(commit["commitId"])


def test_the_buildspec_of_the_article_pushes_an_image_and_leaves_its_name(builds: Builds):
    engine = builds.engine
    commit = article(builds, builds.role())

    started = json.loads(engine.aws("codebuild", "start-build", "--project-name", "myapp").stdout)["build"]
    build = builds.wait(started["id"], 240)

    assert build["buildStatus"] == "SUCCEEDED", "\n".join(builds.log(build))
    assert build["resolvedSourceVersion"] == commit
    uri = f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com/myapp-backend:{commit[:7]}"
    archive = engine.client("s3").get_object(Bucket="artifacts", Key="image.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.namelist() == ["imageDetail.json"]
        assert json.loads(files.read("imageDetail.json")) == {"ImageURI": uri}
    (image,) = engine.client("ecr").describe_images(repositoryName="myapp-backend")["imageDetails"]
    assert image["imageTags"] == [commit[:7]]

    environment = {"image": uri, "imagePullCredentialsType": "SERVICE_ROLE"}
    spec = "version: 0.2\nphases: {build: {commands: [python3 /app.py]}}"
    builds.project("inside", build["serviceRole"], spec, environment=environment)
    inside = builds.run("inside")
    assert output(builds.log(inside)) == ["hello"], "\n".join(builds.log(inside))


def test_a_role_that_may_not_put_images_fails_with_the_denial_in_the_log(builds: Builds):
    article(builds, builds.role([{"Effect": "Allow", "NotAction": "ecr:PutImage", "Resource": "*"}]))

    build = builds.wait(builds.start("myapp"), 240)

    log = "\n".join(builds.log(build))
    assert build["buildStatus"] == "FAILED"
    assert "is not authorized to perform: ecr:PutImage on resource" in log, log
    assert "because no identity-based policy allows the ecr:PutImage action" in log, log
