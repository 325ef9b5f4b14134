"""Elastic Load Balancing's types: AWS::ElasticLoadBalancingV2::*."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Each, Put, Tags
from homeport.engine.services.cloudformation.resources.provider import Request
from homeport.engine.wire.errors import AwsError

_TAGS = Tags(
    Call("add_tags", {"ResourceArns": "[id]", "Tags": "added"}, only=True),
    Call("remove_tags", {"ResourceArns": "[id]", "TagKeys": "removed"}, only=True),
)
_LB = {"LoadBalancerArn": "id"}
_GROUP = {"TargetGroupArn": "id"}
_LISTENER = {"ListenerArn": "id"}
_RULE = {"RuleArn": "id"}

USED_SECONDS, LOOK_SECONDS = 60.0, 1.0


class TargetGroup(Type):
    """AWS::ElasticLoadBalancingV2::TargetGroup: a deployment may have put it behind a listener of the same stack,
    whose template does not say so. It goes when that has gone."""

    async def delete(self, request: Request) -> None:
        deadline = request.ctx.now() + USED_SECONDS
        while True:
            try:
                return await super().delete(request)
            except AwsError as error:
                if error.code != "ResourceInUse" or request.ctx.now() > deadline:
                    raise
            await request.ctx.clock.sleep(LOOK_SECONDS)


TYPES = (
    Type(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "elbv2",
        named="Name",
        limit=32,
        create=Call("create_load_balancer"),
        id="response.LoadBalancers[0].LoadBalancerArn",
        present=Call("describe_load_balancers", {"Names": "[name]"}, only=True),
        read=Call("describe_load_balancers", {"LoadBalancerArns": "[id]"}, only=True),
        found="LoadBalancers[0]",
        attributes={
            "LoadBalancerFullName": "split(id, ':loadbalancer/')[1]",
            "CanonicalHostedZoneID": "read.CanonicalHostedZoneId",
        },
        ready="State.Code != 'provisioning'",
        failed="State.Code == 'failed' && State.Reason",
        parts=(
            Put(
                Call(
                    "modify_load_balancer_attributes",
                    {**_LB, "Attributes": "properties.LoadBalancerAttributes"},
                    only=True,
                ),
                ("LoadBalancerAttributes",),
            ),
            Put(Call("set_security_groups", _LB), ("SecurityGroups",), at_creation=False),
            Put(Call("set_subnets", _LB), ("Subnets", "SubnetMappings"), at_creation=False),
            Put(Call("set_ip_address_type", _LB), ("IpAddressType",), at_creation=False),
            _TAGS,
        ),
        delete=Call("delete_load_balancer", _LB, only=True),
    ),
    TargetGroup(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "elbv2",
        named="Name",
        limit=32,
        create=Call("create_target_group"),
        id="response.TargetGroups[0].TargetGroupArn",
        present=Call("describe_target_groups", {"Names": "[name]"}, only=True),
        read=Call("describe_target_groups", {"TargetGroupArns": "[id]"}, only=True),
        found="TargetGroups[0]",
        attributes={"TargetGroupFullName": "join('', ['targetgroup', split(id, ':targetgroup')[1]])"},
        parts=(
            Put(
                Call(
                    "modify_target_group_attributes",
                    {**_GROUP, "Attributes": "properties.TargetGroupAttributes"},
                    only=True,
                ),
                ("TargetGroupAttributes",),
            ),
            Each(
                "Targets",
                Call("register_targets", {**_GROUP, "Targets": "[item]"}, only=True),
                Call("deregister_targets", {**_GROUP, "Targets": "[item]"}, only=True),
                key="[Id, Port]",
            ),
            _TAGS,
            Put(Call("modify_target_group", _GROUP), at_creation=False),
        ),
        delete=Call("delete_target_group", _GROUP, only=True),
    ),
    Type(
        "AWS::ElasticLoadBalancingV2::Listener",
        "elbv2",
        create=Call("create_listener"),
        id="response.Listeners[0].ListenerArn",
        find=Call("describe_listeners", {"LoadBalancerArn": "properties.LoadBalancerArn"}, only=True),
        found_ids="where(response.Listeners, 'Port', properties.Port)[].ListenerArn",
        attributes={"ListenerArn": "id"},
        parts=(
            Put(
                Call(
                    "modify_listener_attributes",
                    {**_LISTENER, "Attributes": "properties.ListenerAttributes"},
                    only=True,
                ),
                ("ListenerAttributes",),
            ),
            _TAGS,
            Put(Call("modify_listener", _LISTENER), at_creation=False),
        ),
        delete=Call("delete_listener", _LISTENER, only=True),
    ),
    Type(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "elbv2",
        create=Call("create_rule"),
        id="response.Rules[0].RuleArn",
        find=Call("describe_rules", {"ListenerArn": "properties.ListenerArn"}, only=True),
        found_ids="where(response.Rules, 'Priority', properties.Priority)[].RuleArn",
        attributes={"RuleArn": "id", "IsDefault": "`false`"},
        parts=(
            Put(
                Call(
                    "set_rule_priorities",
                    {"RulePriorities": "[{RuleArn: id, Priority: properties.Priority}]"},
                    only=True,
                ),
                ("Priority",),
                at_creation=False,
            ),
            _TAGS,
            Put(Call("modify_rule", _RULE), at_creation=False),
        ),
        delete=Call("delete_rule", _RULE, only=True),
    ),
    Type(
        "AWS::ElasticLoadBalancingV2::ListenerCertificate",
        "elbv2",
        create=Call("add_listener_certificates"),
        id="properties.ListenerArn",
        parts=(
            Each(
                "Certificates",
                Call("add_listener_certificates", {"Certificates": "[item]"}),
                Call("remove_listener_certificates", {"Certificates": "[item]"}),
                at_creation=False,
            ),
        ),
        delete=Call("remove_listener_certificates"),
    ),
)
