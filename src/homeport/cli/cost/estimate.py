"""The monthly cost of a CloudFormation template: one function for each resource type that costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from homeport.cli.cost.prices import Prices
from homeport.cli.cost.usage import HOURS, Usage

FREE_TRANSFER_GB = 100
"""Each month, over all services of an account. https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer"""
_COMPRESSED = 0.15
"""What CloudWatch Logs stores of what was written, in the examples of https://aws.amazon.com/cloudwatch/pricing/"""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill."""

    resource: str
    type: str
    what: str
    monthly: float


@dataclass(frozen=True, slots=True)
class Template:
    """A template with its parameters' values; `tasks` are those of each service by its logical id."""

    body: dict[str, Any]
    parameters: dict[str, str]
    tasks: dict[str, float]

    def value(self, given: Any) -> Any:
        """A property's value; of an intrinsic function only Ref is followed, to a parameter."""
        if isinstance(given, dict) and set(given) == {"Ref"} and given["Ref"] in self._declared:
            name = given["Ref"]
            return self.parameters.get(name, self._declared[name].get("Default"))
        return given

    def number(self, given: Any, otherwise: float) -> float:
        """A property's value as a number."""
        try:
            return float(self.value(given))
        except (TypeError, ValueError):
            return otherwise

    def of_type(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The resources of a type: logical id and properties."""
        for name, resource in self.body.get("Resources", {}).items():
            if resource.get("Type") == kind:
                yield name, resource.get("Properties") or {}

    def properties(self, given: Any) -> dict[str, Any]:
        """The properties of the resource that a Ref names; empty when it names none of this template."""
        name = given.get("Ref") if isinstance(given, dict) else None
        return self.body["Resources"].get(name, {}).get("Properties") or {}

    @property
    def _declared(self) -> dict[str, Any]:
        return self.body.get("Parameters") or {}


def estimate(template: Template, prices: Prices, usage: Usage) -> list[Item]:
    """The lines of the bill, in the order of the template."""
    found: list[Item] = []
    for kind, cost in _TYPES.items():
        for name, properties in template.of_type(kind):
            lines = cost(template, properties, prices.of, usage, name)
            found += [Item(name, kind, what, monthly) for what, monthly in lines]
    return found


def not_estimated(template: Template) -> list[str]:
    """The types in the template that have no estimate here, although they may cost."""
    kinds = {str(resource.get("Type")) for resource in template.body.get("Resources", {}).values()}
    return sorted(kind for kind in kinds if kind not in _TYPES and not kind.startswith(_FREE))


Lines = Iterator[tuple[str, float]]
Of = dict[str, float]


def _service(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    definition = template.properties(properties.get("TaskDefinition"))
    vcpu = template.number(definition.get("Cpu"), 256) / 1024
    memory = template.number(definition.get("Memory"), 512) / 1024
    tasks = usage.tasks if usage.tasks is not None else template.tasks.get(name, 1)
    hourly = vcpu * of["fargate_vcpu_hour"] + memory * of["fargate_gb_hour"]
    spot = _spot_share(properties.get("CapacityProviderStrategy") or [])
    size = f"{vcpu:g} vCPU, {memory:g} GB"
    if spot < 1:
        yield f"{tasks * (1 - spot):g} tasks of {size} on Fargate", tasks * (1 - spot) * hourly * HOURS
    if spot:
        price = hourly * (1 - of["fargate_spot_discount"])
        yield f"{tasks * spot:g} tasks of {size} on Fargate Spot", tasks * spot * price * HOURS


def _spot_share(strategy: list[dict[str, Any]]) -> float:
    weights = {each["CapacityProvider"]: float(each.get("Weight", 0)) for each in strategy}
    whole = sum(weights.values())
    return weights.get("FARGATE_SPOT", 0) / whole if whole else 0


def _balancer(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    yield "the load balancer's hours", of["alb_hour"] * HOURS
    units = max(usage.traffic_gb / HOURS, usage.requests / 25)
    yield f"{units:.2f} capacity units (LCU) on average", units * of["lcu_hour"] * HOURS
    if template.value(properties.get("Scheme")) != "internal":
        zones = _count(properties.get("Subnets"), 2)
        yield f"{zones} public IPv4 addresses", zones * of["ipv4_hour"] * HOURS
        billed = max(0.0, usage.traffic_gb - FREE_TRANSFER_GB)
        yield (
            f"{usage.traffic_gb:g} GB to the internet, {FREE_TRANSFER_GB} free",
            billed * of["transfer_out_gb"],
        )


def _nat(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    count = len(list(template.of_type("AWS::EC2::NatGateway")))
    yield "the NAT gateway's hours", of["nat_hour"] * HOURS
    yield f"{usage.nat_gb / count:g} GB through it", usage.nat_gb / count * of["nat_gb"]


def _address(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    yield "a public IPv4 address", of["ipv4_hour"] * HOURS


def _endpoint(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    if template.value(properties.get("VpcEndpointType")) != "Interface":
        return
    zones = _count(properties.get("SubnetIds"), 2)
    yield f"hours in {zones} zones", zones * of["endpoint_hour"] * HOURS
    kinds = [each.get("VpcEndpointType") for _, each in template.of_type("AWS::EC2::VPCEndpoint")]
    share = usage.nat_gb / kinds.count("Interface")
    yield f"{share:.1f} GB through it", share * of["endpoint_gb"]


def _project(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    environment = properties.get("Environment") or {}
    size = str(template.value(environment.get("ComputeType"))).rpartition("_")[2].lower()
    price = of.get(f"build_{size}_minute", of["build_small_minute"])
    minutes = usage.releases * usage.build_minutes
    free = min(minutes, usage.free_minutes) if size == "small" else 0
    said = f"{minutes:g} minutes of {size} builds" + (f", {free:g} free" if free else "")
    yield said, (minutes - free) * price


def _pipeline(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    if template.value(properties.get("PipelineType")) != "V2":
        yield "an active pipeline of type V1", 1.0
        return
    kinds = [
        action["ActionTypeId"] for stage in properties.get("Stages") or [] for action in stage["Actions"]
    ]
    deploys = sum(kind["Category"] == "Deploy" for kind in kinds)
    commands = sum(kind["Provider"] == "Commands" for kind in kinds)
    each = usage.build_minutes + deploys * usage.deploy_minutes + commands
    minutes = usage.releases * (each + sum(kind["Category"] == "Source" for kind in kinds))
    free = min(minutes, usage.free_minutes)
    yield f"{minutes:g} minutes of actions, {free:g} free", (minutes - free) * of["pipeline_minute"]
    if commands:
        used = usage.releases * commands
        yield f"{used:g} minutes of Commands, run as small builds", used * of["build_small_minute"]


def _images(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    kept = _kept_images(properties.get("LifecyclePolicy") or {})
    count = min(kept, usage.releases * 12) if kept else usage.releases * 12
    why = f"the {kept} images that are kept" if kept else "the images of a year, as none expires"
    yield f"{count * usage.image_gb:.1f} GB: {why}", count * usage.image_gb * of["ecr_gb"]


def _kept_images(policy: dict[str, Any]) -> int | None:
    """How many images the lifecycle policy keeps, when it counts them."""
    try:
        rules = json.loads(policy.get("LifecyclePolicyText") or "{}").get("rules", [])
    except (TypeError, ValueError):
        return None
    counts = [rule["selection"] for rule in rules if rule["selection"]["countType"] == "imageCountMoreThan"]
    return next((int(each["countNumber"]) for each in counts if each["tagStatus"] == "any"), None)


def _bucket(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    rules = (properties.get("LifecycleConfiguration") or {}).get("Rules") or []
    days = next((float(rule["ExpirationInDays"]) for rule in rules if rule.get("ExpirationInDays")), None)
    stored = usage.releases * usage.artifact_gb * (days / 30 if days else 12)
    why = f"artifacts of {days:g} days" if days else "artifacts of a year, as none expires"
    yield f"{stored:.1f} GB: {why}", stored * of["s3_gb"]


def _logs(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    groups = len(list(template.of_type("AWS::Logs::LogGroup")))
    taken = usage.log_gb / groups
    days = template.number(properties.get("RetentionInDays"), 0)
    stored = taken * _COMPRESSED * (days / 30 if days else 12)
    kept = f"kept {days:g} days" if days else "kept for ever (a year is counted)"
    yield f"{taken:.1f} GB written, {kept}", taken * of["logs_ingest_gb"] + stored * of["logs_gb"]


def _secrets_named(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    containers = properties.get("ContainerDefinitions") or []
    arns = {str(each.get("ValueFrom")) for one in containers for each in one.get("Secrets") or []}
    if count := sum(":secretsmanager:" in arn for arn in arns):
        yield f"{count} secrets of Secrets Manager that it names", count * of["secret"]


def _alarm(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    count = _followed(properties)
    yield "an alarm" if count == 1 else f"an alarm of {count} metrics", count * of["alarm"]


def _policy(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html"""
    if config := properties.get("TargetTrackingScalingPolicyConfiguration"):
        count = 2 * _followed(config.get("CustomizedMetricSpecification") or {})
        yield f"its two alarms, {count} metrics in all", count * of["alarm"]


def _followed(given: dict[str, Any]) -> int:
    """How many metrics an alarm follows: each costs."""
    return sum("MetricStat" in each for each in given.get("Metrics") or []) or 1


def _flat(price: str, what: str) -> Callable[..., Lines]:
    def cost(template: Template, properties: dict[str, Any], of: Of, usage: Usage, name: str) -> Lines:
        yield what, of[price]

    return cost


def _count(given: Any, otherwise: int) -> int:
    return len(given) if isinstance(given, list) else otherwise


_TYPES: dict[str, Callable[[Template, dict[str, Any], Of, Usage, str], Lines]] = {
    "AWS::ECS::Service": _service,
    "AWS::ECS::TaskDefinition": _secrets_named,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::EC2::NatGateway": _nat,
    "AWS::EC2::EIP": _address,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::CodeBuild::Project": _project,
    "AWS::CodePipeline::Pipeline": _pipeline,
    "AWS::ECR::Repository": _images,
    "AWS::S3::Bucket": _bucket,
    "AWS::Logs::LogGroup": _logs,
    "AWS::SecretsManager::Secret": _flat("secret", "a secret"),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _policy,
    "AWS::KMS::Key": _flat("kms_key", "a key"),
}
_FREE = (
    *("AWS::IAM::", "AWS::EC2::", "AWS::ElasticLoadBalancingV2::", "AWS::ApplicationAutoScaling::"),
    *(
        "AWS::ECS::",
        "AWS::S3::BucketPolicy",
        "AWS::Events::",
        "AWS::SNS::",
        "AWS::CodeStar",
        "AWS::CodeConnections",
    ),
    *("AWS::CodeCommit::", "AWS::Logs::", "AWS::SSM::", "AWS::CodeDeploy::"),
)
"""Types without a price of their own; CodeCommit is free for five users, SNS and EventBridge at this size."""
