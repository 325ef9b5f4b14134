"""What a month costs, and what would cost less: sums by hand from the table's prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from homeport.cli.cost.prices import load
from homeport.cli.main import app
from homeport.pytest_plugin import RunningEngine
from tests.cli.conftest import Run


def bill(tmp_path: Path, manifest: str, *options: str) -> dict[str, Any]:
    file = tmp_path / "homeport.yml"
    file.write_text(manifest)
    done = CliRunner().invoke(app, ["cost", "--file", str(file), "--output", "json", *options])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def of(found: dict[str, Any], resource: str) -> float:
    return round(sum(item["monthly"] for item in found["items"] if item["resource"] == resource), 2)


def test_the_bill_of_the_shortest_manifest(tmp_path: Path) -> None:
    found = bill(tmp_path, "app: shop", "--releases", "100", "--build-minutes", "3")

    assert of(found, "Service") == round(2 * (0.25 * 0.04048 + 0.5 * 0.004445) * 730, 2) == 18.02
    assert of(found, "Build") == round((300 - 100) * 0.005, 2)
    assert of(found, "NatGatewayA") == round(0.045 * 730 + 20 * 0.045, 2)
    assert found["monthly"] == round(sum(item["monthly"] for item in found["items"]), 2)
    assert found["prices"]["as_of"]
    assert found["assumptions"]["releases"] == 100
    assert found["not_estimated"] == []


def test_savings_are_the_difference_of_two_bills(tmp_path: Path) -> None:
    manifest = "app: shop\nservice: {cpu: 1024, memory: 2048, count: 4}\n"
    found = bill(tmp_path, manifest)
    offered = {each["change"]: each["monthly"] for each in found["savings"]}

    spot = bill(tmp_path, f"{manifest}cost: {{spot: 50}}\n")
    smaller = bill(tmp_path, "app: shop\nservice: {cpu: 512, memory: 2048, count: 4}\n")
    endpoints = bill(tmp_path, f"{manifest}network: {{egress: endpoints}}\n")

    assert offered["cost.spot: 50"] == pytest.approx(found["monthly"] - spot["monthly"], abs=0.02)
    assert offered["service.cpu: 512, service.memory: 2048"] == pytest.approx(
        found["monthly"] - smaller["monthly"], abs=0.02
    )
    assert offered["network.egress: endpoints"] == pytest.approx(
        found["monthly"] - endpoints["monthly"], abs=0.02
    )
    assert offered["network.egress: endpoints"] < 0


def test_the_bill_tells_which_of_its_prices_have_been_found(tmp_path: Path) -> None:
    checked = bill(tmp_path, "app: shop", "--region", "eu-central-1")["prices"]["checked"]
    done = CliRunner().invoke(
        app, ["cost", "--file", str(tmp_path / "homeport.yml"), "--region", "eu-central-1"]
    )

    assert set(checked) == set(load("eu-central-1").of)
    assert checked["pipeline_minute"] == {
        "page": "https://aws.amazon.com/codepipeline/pricing/",
        "found": "aws",
    }
    assert checked["alb_hour"]["found"] == "nowhere"
    nowhere = sum(each["found"] == "nowhere" for each in checked.values())
    assert f"{nowhere} nowhere: an approximation. Your own: --prices." in done.output


def test_a_table_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    prices = dict.fromkeys(load("us-east-1").of, 2.0) | {"fargate_spot_discount": 0.5}
    own = tmp_path / "own.json"
    own.write_text(
        json.dumps({"as_of": "today", "source": "our contract.", "regions": {"mars-north-1": prices}})
    )
    found = bill(tmp_path, "app: shop", "--region", "mars-north-1", "--prices", str(own))

    assert of(found, "NatGatewayA") == 2 * 730 + 20 * 2
    assert found["prices"] == {"as_of": "today", "source": "our contract.", "checked": {}}


def test_the_alarms_of_scaling_policies_cost(tmp_path: Path) -> None:
    manifest = "app: shop\nservice: {autoscaling: {requests: 500}}\ndeploy: {strategy: blue-green}\n"
    found = bill(tmp_path, manifest)

    assert (of(found, "ScaleCpu"), of(found, "ScaleRequests")) == (0.20, 0.40)


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1"])
def test_every_region_has_every_price(region: str) -> None:
    assert set(load(region).of) == set(load("us-east-1").of)
    assert all(price > 0 for price in load(region).of.values())


def test_a_region_without_prices_is_told_with_those_that_have(tmp_path: Path) -> None:
    (tmp_path / "homeport.yml").write_text("app: shop")

    done = CliRunner().invoke(
        app, ["cost", "--file", str(tmp_path / "homeport.yml"), "--region", "mars-north-1"]
    )

    assert done.exit_code == 1
    assert "eu-central-1" in done.output
    assert "--prices" in done.output


def test_a_deployed_stack_is_priced_by_its_template(engine: RunningEngine, homeport: Run) -> None:
    template = {
        "Parameters": {"Size": {"Type": "String", "Default": "BUILD_GENERAL1_LARGE"}},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "a"}},
        },
    }
    cloudformation = engine.client("cloudformation")
    cloudformation.create_stack(StackName="shop", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="shop", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )

    found = json.loads(homeport("cost", "shop", "-o", "json").output)

    assert of(found, "Secret") == 0.40
    assert of(found, "Bucket") == round(60 * 0.01 * 12 * 0.023, 2)
