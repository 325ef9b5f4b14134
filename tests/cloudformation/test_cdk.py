"""The CDK, unmodified: bootstrap, deploy with a file and an image, deploy again, destroy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine

APP = Path(__file__).parent / "cdk"


@pytest.fixture(scope="session")
def cdk_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app with its packages from npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("cdk")
    shutil.copytree(APP, folder, dirs_exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=280)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_cdk_bootstraps_deploys_and_destroys(engine: RunningEngine, cdk_app: Path):
    def cdk(*arguments: str) -> str:
        command = [str(cdk_app / "node_modules" / ".bin" / "cdk"), *arguments]
        docker = str(Path(sys.executable).with_name("homeport-docker"))  # as `homeport engine env` says
        env = engine.env | {"CI": "1", "HOME": str(cdk_app), "CDK_DOCKER": docker}
        done = subprocess.run(command, cwd=cdk_app, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def parameter(name: str) -> str:
        return engine.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]

    app = ["--app", "node app.js"]

    assert "bootstrapped" in cdk("bootstrap", f"aws://{engine.account}/{engine.region}")
    cdk("deploy", "--require-approval", "never", *app)
    bucket, _, key = parameter("/small/where").removeprefix("s3://").partition("/")
    repository, _, tag = parameter("/small/image").partition("/")[2].partition(":")
    pushed = engine.client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    assert len(pushed["imageDetails"]) == 1
    assert b"aws-cdk-lib" in engine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert "(no changes)" in cdk("deploy", "--require-approval", "never", *app)

    cdk("destroy", "--force", *app)
    stacks = engine.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == ["CDKToolkit"]
