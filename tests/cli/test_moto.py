"""The same verbs against moto's server, a second implementation of AWS's API, as far as it reaches: it makes
no Fn::Cidr, CodeCommit, CodeBuild and CodePipeline in stacks: the network is there already, and the pipeline is not."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from homeport.cli.main import app
from homeport.manifest.reader import parse
from homeport.stack.template import render, synthesize

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("moto") / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


def client(url: str, service: str) -> Any:
    return boto3.client(service, endpoint_url=url, **KEYS)


def reach(template: dict[str, Any]) -> dict[str, Any]:
    """What of a template moto makes: not the types that it has not, nor what refers to them."""
    resources = dict(template["Resources"])
    gone = {name for name, body in resources.items() if body["Type"].startswith(("AWS::Code", "AWS::Events"))}
    while gone:
        for name in gone:
            del resources[name]
        quoted = {f'"{name}"' for name in set(template["Resources"]) - set(resources)}
        gone = {name for name, body in resources.items() if any(each in json.dumps(body) for each in quoted)}
    kept = ("Url", "ServiceName", "ClusterName")
    outputs = {name: each for name, each in template["Outputs"].items() if name in kept}
    return {**template, "Resources": resources, "Outputs": outputs}


@pytest.fixture
def homeport(moto: str, tmp_path: Path) -> Any:
    """Runs a verb for a manifest in moto's default VPC."""
    subnets = client(moto, "ec2").describe_subnets()["Subnets"]
    ids = [each["SubnetId"] for each in subnets]
    text = (
        "app: shop\nsource: {provider: connection, repository: owner/shop}\n"
        f"network: {{vpc: {subnets[0]['VpcId']}, public-subnets: [{ids[0]}, {ids[1]}], "
        f"private-subnets: [{ids[2]}, {ids[3]}]}}\n"
    )
    (tmp_path / "template.yml").write_text(render(reach(synthesize(parse(text)))))
    file = tmp_path / "homeport.yml"
    file.write_text(f"{text}override: {{template: template.yml}}\n")
    environment = {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }

    def run(verb: str, *arguments: str) -> Result:
        given = ["--file", str(file)] if verb in ("deploy", "diff", "destroy") else []
        return CliRunner().invoke(app, [verb, "--target", "aws", *given, *arguments], env=environment)

    return run


def test_a_stack_is_deployed_once_looked_at_and_destroyed(homeport: Any, moto: str) -> None:
    deployed = homeport("deploy", "--yes")

    assert "shop is deployed" in deployed.output, deployed.output
    [stack] = client(moto, "cloudformation").describe_stacks(StackName="shop")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    [service] = client(moto, "ecs").describe_services(
        cluster=outputs["ClusterName"], services=[outputs["ServiceName"]]
    )["services"]
    assert service["desiredCount"] == 0

    for verb in ("status", "logs", "doctor"):
        looked = homeport(verb, "shop")
        assert looked.exception is None or isinstance(looked.exception, SystemExit), looked.output
        assert looked.output.strip() and "Traceback" not in looked.output

    destroyed = homeport("destroy", "--yes")
    assert "shop is deleted" in destroyed.output, destroyed.output
