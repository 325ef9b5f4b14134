"""Services that find each other by Cloud Map."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.cloudformation.test_stacks import Stack
from tests.ecs.conftest import Ecs, web
from tests.waiting import until

CLOUD_MAP = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.30.0.0/16"}},
        "Namespace": {
            "Type": "AWS::ServiceDiscovery::PrivateDnsNamespace",
            "Properties": {"Name": "shop.local", "Vpc": {"Ref": "Vpc"}},
        },
        "Api": {
            "Type": "AWS::ServiceDiscovery::Service",
            "Properties": {
                "Name": "api",
                "DnsConfig": {
                    "NamespaceId": {"Ref": "Namespace"},
                    "DnsRecords": [{"Type": "A", "TTL": 10}],
                },
            },
        },
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Api", "Arn"]}}},
}


def test_tasks_of_one_service_find_those_of_another(ecs: Ecs):
    stack = Stack(ecs.engine).create(json.dumps(CLOUD_MAP))
    registry = {"registryArn": stack.outputs["Arn"]}
    cloud_map = ecs.engine.client("servicediscovery")

    def known():
        found = cloud_map.list_instances(ServiceId=stack.physical("Api"))["Instances"]
        return {each["Attributes"]["AWS_INSTANCE_IPV4"] for each in found}

    ecs.serve(ecs.define(web("1.0")), 2, "api", serviceRegistries=[registry])
    ecs.until_stable("api")
    details = [task["attachments"][0]["details"] for task in ecs.tasks("api")]
    addresses = {each["value"] for task in details for each in task if each["name"] == "privateIPv4Address"}
    assert known() == addresses

    asking = ecs.define("wget -qO- http://api.shop.local:8080/ | grep 1.0", "asking")
    assert ecs.until_stopped(ecs.run(asking))["containers"][0]["exitCode"] == 0

    ecs.api.update_service(service="api", desiredCount=0)
    until(known, lambda found: not found)


def test_what_a_service_would_not_get_is_refused(ecs: Ecs):
    definition = ecs.define("exec sleep 600")
    with pytest.raises(ClientError, match=r"service registry arn:.* cannot be used"):
        ecs.serve(
            definition, serviceRegistries=[{"registryArn": "arn:aws:servicediscovery:::service/srv-none"}]
        )
    with pytest.raises(ClientError, match="homeport does not have Service Connect"):
        ecs.serve(definition, serviceConnectConfiguration={"enabled": True, "namespace": "shop"})
