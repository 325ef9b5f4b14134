"""Load balancers, listeners, rules and target groups as AWS's clients see them."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.elbv2.conftest import Balancer, forward


def test_a_name_belongs_to_one_load_balancer(balancer: Balancer) -> None:
    elbv2 = balancer.elbv2
    again = elbv2.create_load_balancer(Name="shop", Subnets=["subnet-1", "subnet-2"])["LoadBalancers"][0]
    assert again["LoadBalancerArn"] == balancer.arn
    with pytest.raises(elbv2.exceptions.DuplicateLoadBalancerNameException):
        elbv2.create_load_balancer(Name="shop", Subnets=["subnet-1", "subnet-2"], Scheme="internal")
    assert balancer.host.startswith("shop-")
    assert balancer.host.endswith(".us-east-1.elb.localhost")
    elbv2.get_waiter("load_balancer_available").wait(Names=["shop"])


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "internal-a", "a" * 33])
def test_names_that_cannot_be(balancer: Balancer, name: str) -> None:
    with pytest.raises(balancer.elbv2.exceptions.ClientError, match="ValidationError"):
        balancer.elbv2.create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])


def test_a_load_balancer_needs_two_zones_and_a_check_its_time(
    engine: RunningEngine, balancer: Balancer
) -> None:
    ec2 = engine.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    same = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone="us-east-1a")["Subnet"][
            "SubnetId"
        ]
        for n in (1, 2)
    ]
    for subnets, message in ((same[:1], "At least two subnets"), (same, "in the same Availability Zone")):
        with pytest.raises(balancer.elbv2.exceptions.ClientError, match=message):
            balancer.elbv2.create_load_balancer(Name="narrow", Subnets=subnets)
    with pytest.raises(
        balancer.elbv2.exceptions.ClientError, match="interval must be greater than the timeout"
    ):
        balancer.group("hasty", HealthCheckTimeoutSeconds=5)


def test_a_group_in_use_cannot_be_deleted_nor_shared(engine: RunningEngine, balancer: Balancer) -> None:
    elbv2 = balancer.elbv2
    group = balancer.group("app")
    listener = balancer.listen(forward(group))
    assert (
        elbv2.describe_target_groups(LoadBalancerArn=balancer.arn)["TargetGroups"][0]["TargetGroupArn"]
        == group
    )
    with pytest.raises(elbv2.exceptions.ResourceInUseException):
        elbv2.delete_target_group(TargetGroupArn=group)
    other = Balancer(engine, "other")
    with pytest.raises(other.elbv2.exceptions.TargetGroupAssociationLimitException):
        other.listen(forward(group))
    elbv2.delete_listener(ListenerArn=listener)
    elbv2.delete_target_group(TargetGroupArn=group)


def test_rules_are_checked(balancer: Balancer) -> None:
    elbv2 = balancer.elbv2
    group = balancer.group("app")
    listener = balancer.listen(forward(group))
    path = [{"Field": "path-pattern", "Values": ["/a"]}]

    def create(**changes: Any) -> Any:
        given = {
            "ListenerArn": listener,
            "Priority": 1,
            "Conditions": path,
            "Actions": [forward(group)],
            **changes,
        }
        return elbv2.create_rule(**given)["Rules"][0]

    rule = create()
    assert rule["Conditions"] == [
        {"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}}
    ]
    with pytest.raises(elbv2.exceptions.PriorityInUseException, match="Priority '1' is currently in use"):
        create()
    with pytest.raises(elbv2.exceptions.ClientError, match="ValidationError"):
        create(Priority=50001)
    with pytest.raises(elbv2.exceptions.ClientError, match="can only have one 'path-pattern'"):
        create(Priority=2, Conditions=path * 2)
    with pytest.raises(elbv2.exceptions.ClientError, match="not a valid regular expression"):
        lookahead = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["/a(?!b)"]}}
        create(Priority=2, Conditions=[lookahead])
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        create(Priority=2, Actions=[forward(group + "0")])
    default = next(each for each in elbv2.describe_rules(ListenerArn=listener)["Rules"] if each["IsDefault"])
    with pytest.raises(elbv2.exceptions.OperationNotPermittedException):
        elbv2.delete_rule(RuleArn=default["RuleArn"])
    elbv2.delete_rule(RuleArn=rule["RuleArn"])
    with pytest.raises(elbv2.exceptions.RuleNotFoundException):
        elbv2.describe_rules(RuleArns=[rule["RuleArn"]])


def test_attributes_and_tags(balancer: Balancer) -> None:
    elbv2 = balancer.elbv2
    group = balancer.group("app", Tags=[{"Key": "team", "Value": "a"}])
    changed = elbv2.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}]
    )
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "5"} in changed["Attributes"]
    with pytest.raises(elbv2.exceptions.ClientError, match="not recognized"):
        elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": "x", "Value": "5"}])
    with pytest.raises(elbv2.exceptions.ClientError, match="must be 0 or a whole number between 30 and 900"):
        slow = {"Key": "slow_start.duration_seconds", "Value": "29"}
        elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[slow])
    with pytest.raises(elbv2.exceptions.ClientError, match="homeport does not write these logs"):
        logs = {"Key": "connection_logs.s3.enabled", "Value": "true"}
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=[logs])
    elbv2.add_tags(ResourceArns=[group, balancer.arn], Tags=[{"Key": "stage", "Value": "test"}])
    elbv2.remove_tags(ResourceArns=[group], TagKeys=["team"])
    described = elbv2.describe_tags(ResourceArns=[group])["TagDescriptions"]
    assert described == [{"ResourceArn": group, "Tags": [{"Key": "stage", "Value": "test"}]}]


def test_a_protected_load_balancer_stays(balancer: Balancer) -> None:
    elbv2 = balancer.elbv2
    for value in ("true", "false"):
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer.arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": value}]
        )
        if value == "true":
            with pytest.raises(elbv2.exceptions.OperationNotPermittedException):
                elbv2.delete_load_balancer(LoadBalancerArn=balancer.arn)
    elbv2.delete_load_balancer(LoadBalancerArn=balancer.arn)
    with pytest.raises(elbv2.exceptions.LoadBalancerNotFoundException):
        elbv2.describe_load_balancers(LoadBalancerArns=[balancer.arn])
    elbv2.delete_load_balancer(LoadBalancerArn=balancer.arn)  # again: no error


def test_a_taken_port_is_replaced_and_shown(balancer: Balancer) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        balancer.listen(fixed("here"), port=port)
    assert balancer.bound(port) != port
    listener = balancer.elbv2.describe_listeners(LoadBalancerArn=balancer.arn)["Listeners"][0]
    assert listener["Port"] == port


def test_https_with_a_local_certificate(engine: RunningEngine, balancer: Balancer) -> None:
    arn = engine.client("acm").request_certificate(DomainName="shop.example.com")["CertificateArn"]
    balancer.listen(fixed("secure"), port=443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    trust = ssl.create_default_context(cafile=str(engine.data / "authority" / "ca.pem"))
    for name in (balancer.host, "shop.example.com"):
        with (
            socket.create_connection(("127.0.0.1", balancer.bound(443))) as raw,
            trust.wrap_socket(raw, server_hostname=name) as secure,
        ):
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: secure.recv(4096), b""))
            assert answer.endswith(b"secure")
    with pytest.raises(balancer.elbv2.exceptions.CertificateNotFoundException):
        balancer.listen(
            fixed("x"), port=444, Protocol="HTTPS", Certificates=[{"CertificateArn": arn[:-1] + "x"}]
        )


def fixed(body: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": body}}
