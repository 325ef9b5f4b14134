"""Manifests become templates that AWS's own linter accepts, with least privilege in every role.

`GOLDEN=write pytest tests/stack` writes the golden templates anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint import api
from cfnlint.config import ManualArgs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from homeport.manifest.model import Manifest
from homeport.manifest.reader import parse
from homeport.stack.template import BadOverride, render, synthesize

GOLDEN = Path(__file__).with_name("golden")
PATTERNS = {
    "rolling": "app: shop",
    "canary": """
app: shop
source: {provider: connection, repository: owner/shop, paths: ["src/**"]}
image: {stop-on: high}
service:
  port: 8080
  health: /health
  autoscaling: {min: 2, max: 6, requests: 500}
  secrets: {KEY: "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf"}
  permissions: [{actions: ["dynamodb:GetItem"], resources: ["arn:aws:dynamodb:us-east-1:123456789012:table/x"]}]
deploy: {strategy: canary, percent: 5, wait: 10}
environments: {staging: {count: 1}, production: {approval: true}}
network: {egress: endpoints, private-builds: true, certificate: "arn:aws:acm:us-east-1:123456789012:certificate/1"}
cost: {spot: 50}
notify: {email: team@example.com}
""",
    "blue-green": "app: shop\ndeploy: {strategy: blue-green, bake: 1}\nnetwork: {egress: nat-per-zone}",
    "existing-vpc": """
app: shop
deploy: {strategy: linear, alarms: false}
network: {vpc: vpc-0a1b2c3d, public-subnets: [subnet-0000000a, subnet-0000000b],
  private-subnets: [subnet-0000000c, subnet-0000000d]}
""",
}
ANY_RESOURCE = {
    "ecr:GetAuthorizationToken": "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html",
    "ecs:DescribeTaskDefinition": "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html",
    "ecs:RegisterTaskDefinition": "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html",
    "ec2:CreateNetworkInterface": "https://docs.aws.amazon.com/codebuild/latest/userguide/vpc-support.html",
    "ec2:DeleteNetworkInterface": "the same page",
    "ec2:DescribeDhcpOptions": "the same page",
    "ec2:DescribeNetworkInterfaces": "the same page",
    "ec2:DescribeSecurityGroups": "the same page",
    "ec2:DescribeSubnets": "the same page",
    "ec2:DescribeVpcs": "the same page",
}
"""Actions for which AWS allows no narrower resource, and the page that says so."""


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_gives_its_golden_template(name: str) -> None:
    text = render(synthesize(parse(PATTERNS[name])))
    golden = GOLDEN / f"{name}.yml"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text)

    assert text == golden.read_text()


@pytest.mark.parametrize("name", PATTERNS)
def test_the_linter_finds_nothing(name: str) -> None:
    assert lint(render(synthesize(parse(PATTERNS[name])))) == []


@pytest.mark.parametrize("name", PATTERNS)
def test_roles_are_granted_named_actions_on_named_resources(name: str) -> None:
    for statement in statements(synthesize(parse(PATTERNS[name]))):
        assert not any("*" in action for action in statement["Action"])
        if statement["Resource"] == "*":
            assert set(statement["Action"]) <= set(ANY_RESOURCE)


def test_only_the_load_balancer_is_open_to_the_world() -> None:
    template = synthesize(parse(PATTERNS["canary"]))
    groups = {
        name: body
        for name, body in template["Resources"].items()
        if body["Type"] == "AWS::EC2::SecurityGroup"
    }

    def is_open(body: dict[str, Any]) -> bool:
        return any(
            rule.get("CidrIp") == "0.0.0.0/0" for rule in body["Properties"].get("SecurityGroupIngress", [])
        )

    opened = {name for name, body in groups.items() if is_open(body)}

    assert opened == {"StagingLoadBalancerSecurityGroup", "ProductionLoadBalancerSecurityGroup"}


def test_a_patch_sets_a_value_and_a_misspelt_path_is_refused() -> None:
    patched = parse("app: shop\noverride: {patch: {Resources.Cluster.Properties.ClusterName: main}}")
    misspelt = parse("app: shop\noverride: {patch: {Resources.Clustre.Properties.ClusterName: main}}")

    assert synthesize(patched)["Resources"]["Cluster"]["Properties"]["ClusterName"] == "main"
    with pytest.raises(BadOverride, match="did you mean 'Cluster'"):
        synthesize(misspelt)


manifests = st.fixed_dictionaries(
    {"app": st.from_regex(r"\A[a-z][a-z0-9-]{1,20}[a-z0-9]\Z")},
    optional={
        "deploy": st.fixed_dictionaries(
            {},
            optional={
                "strategy": st.sampled_from(["rolling", "blue-green", "canary", "linear"]),
                "breaker": st.booleans(),
                "alarms": st.booleans(),
                "percent": st.sampled_from([0.1, 5, 10, 33.3, 100]),
            },
        ),
        "service": st.fixed_dictionaries(
            {},
            optional={
                "port": st.integers(1, 65535),
                "count": st.integers(1, 20),
                "stop-timeout": st.integers(2, 120),
                "environment": st.dictionaries(
                    st.from_regex(r"\A[A-Z]{1,5}\Z"), st.text(max_size=9), max_size=2
                ),
                "autoscaling": st.fixed_dictionaries({}, optional={"cpu": st.integers(1, 100)}),
            },
        ),
        "image": st.fixed_dictionaries(
            {},
            optional={
                "keep": st.integers(1, 1000),
                "stop-on": st.sampled_from(["never", "critical", "medium"]),
            },
        ),
        "network": st.fixed_dictionaries(
            {},
            optional={
                "egress": st.sampled_from(["nat", "nat-per-zone", "endpoints"]),
                "private-builds": st.booleans(),
            },
        ),
        "cost": st.fixed_dictionaries({}, optional={"spot": st.integers(0, 100)}),
        "environments": st.sampled_from([{"production": {}}, {"test": {}, "production": {"approval": True}}]),
    },
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests)
def test_any_valid_manifest_gives_a_template_that_the_linter_accepts(value: dict[str, Any]) -> None:
    try:
        manifest = Manifest.model_validate(value)
    except ValidationError:
        return
    assert lint(render(synthesize(manifest))) == []


def lint(text: str) -> list[str]:
    return [str(match) for match in api.lint(text, config=ManualArgs(regions=["us-east-1"]))]


def statements(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for body in template["Resources"].values():
        if body["Type"] == "AWS::IAM::Role":
            for policy in body["Properties"].get("Policies", []):
                yield from policy["PolicyDocument"]["Statement"]
