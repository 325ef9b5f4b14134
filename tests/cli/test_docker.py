"""`homeport docker`: what works in a build works outside of it."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.cli.docker import local
from homeport.pytest_plugin import RunningEngine
from tests.ecr.images import layer

NAME = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        (NAME, "127.0.0.1:4566"),
        (f"https://{NAME}", "127.0.0.1:4566"),
        (f"{NAME}/app:1", f"127.0.0.1:4566/{NAME}/app:1"),
        (f"--tag={NAME}/app:1", f"--tag=127.0.0.1:4566/{NAME}/app:1"),
        (f"type=registry,ref={NAME}/app:cache", f"type=registry,ref=127.0.0.1:4566/{NAME}/app:cache"),
        ("debian:bookworm", "debian:bookworm"),
        (f"echo {NAME}/app", f"echo {NAME}/app"),
    ],
)
def test_a_name_of_ecr_leads_to_the_engine(given: str, becomes: str):
    assert local([given], "127.0.0.1:4566") == [becomes]


def test_an_image_is_pushed_under_the_name_that_it_has_at_aws(engine: RunningEngine, tmp_path: Path):
    registry = f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com"
    image = f"{registry}/app:1"
    ecr = engine.client("ecr")
    ecr.create_repository(repositoryName="app")
    archive = tmp_path / "root.tar"
    archive.write_bytes(layer({"etc/one": b"1"}, "none"))

    def docker(*arguments: str | Path, **options: str) -> str:
        program = "from homeport.cli.docker import main; main()"
        command = [sys.executable, "-c", program, "--config", str(tmp_path), *map(str, arguments)]
        done = subprocess.run(command, env=engine.env, capture_output=True, text=True, timeout=120, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    password = base64.b64decode(token).decode().removeprefix("AWS:")
    docker("login", "--username", "AWS", "--password-stdin", registry, input=password)
    docker("import", archive, image)
    try:
        docker("push", image)
    finally:
        docker("rmi", image)

    assert ecr.describe_images(repositoryName="app")["imageDetails"][0]["imageTags"] == ["1"]
