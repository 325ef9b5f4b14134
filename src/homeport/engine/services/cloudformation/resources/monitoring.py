"""The types of CloudWatch, EventBridge and Application Auto Scaling."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Each, Put, Tags

_ARN = "attributes.Arn"
_CLOUDWATCH_TAGS = Tags(
    Call("tag_resource", {"ResourceARN": _ARN, "Tags": "added"}, only=True),
    Call("untag_resource", {"ResourceARN": _ARN, "TagKeys": "removed"}, only=True),
)
_ALARM_ARN = "join('', ['arn:aws:cloudwatch:', region, ':', account, ':alarm:', id])"
_ALARMS = Call(
    "describe_alarms",
    {"AlarmNames": "[name]", "AlarmTypes": "['MetricAlarm', 'CompositeAlarm']"},
    only=True,
)
_ANY_ALARM = "response.MetricAlarms || response.CompositeAlarms"
_RULE = {"Rule": "id", "EventBusName": "properties.EventBusName"}
_TARGET = "split(properties.ScalingTargetId, '|')"
_POLICY = {
    "ResourceId": f"properties.ResourceId || {_TARGET}[0]",
    "ScalableDimension": f"properties.ScalableDimension || {_TARGET}[1]",
    "ServiceNamespace": f"properties.ServiceNamespace || {_TARGET}[2]",
}

TYPES = (
    Type(
        "AWS::CloudWatch::Alarm",
        "cloudwatch",
        named="AlarmName",
        limit=255,
        create=Call("put_metric_alarm"),
        id="name",
        present=_ALARMS,
        present_if=_ANY_ALARM,
        attributes={"Arn": _ALARM_ARN},
        parts=(_CLOUDWATCH_TAGS, Put(Call("put_metric_alarm", {"AlarmName": "id"}), at_creation=False)),
        delete=Call("delete_alarms", {"AlarmNames": "[id]"}, only=True),
    ),
    Type(
        "AWS::CloudWatch::CompositeAlarm",
        "cloudwatch",
        named="AlarmName",
        limit=255,
        create=Call("put_composite_alarm"),
        id="name",
        present=_ALARMS,
        present_if=_ANY_ALARM,
        attributes={"Arn": _ALARM_ARN},
        parts=(_CLOUDWATCH_TAGS, Put(Call("put_composite_alarm", {"AlarmName": "id"}), at_creation=False)),
        delete=Call("delete_alarms", {"AlarmNames": "[id]"}, only=True),
    ),
    Type(
        "AWS::CloudWatch::Dashboard",
        "cloudwatch",
        named="DashboardName",
        limit=255,
        create=Call("put_dashboard"),
        id="name",
        present=Call("get_dashboard", {"DashboardName": "name"}, only=True),
        parts=(Put(Call("put_dashboard", {"DashboardName": "id"}), at_creation=False),),
        delete=Call("delete_dashboards", {"DashboardNames": "[id]"}, only=True),
    ),
    Type(
        "AWS::Events::Rule",
        "events",
        named="Name",
        limit=64,
        create=Call("put_rule"),
        id="name",
        present=Call("describe_rule", {"Name": "name", "EventBusName": "properties.EventBusName"}, only=True),
        read=Call("describe_rule", {"Name": "id", "EventBusName": "properties.EventBusName"}, only=True),
        parts=(
            Each(
                "Targets",
                Call("put_targets", {**_RULE, "Targets": "[item]"}, only=True),
                Call("remove_targets", {**_RULE, "Ids": "[item.Id]"}, only=True),
                key="Id",
                clear=True,
            ),
            Tags(
                Call("tag_resource", {"ResourceARN": _ARN, "Tags": "added"}, only=True),
                Call("untag_resource", {"ResourceARN": _ARN, "TagKeys": "removed"}, only=True),
            ),
            Put(Call("put_rule", {"Name": "id", "Tags": "`null`"}), at_creation=False),
        ),
        delete=Call("delete_rule", {"Name": "id", "EventBusName": "properties.EventBusName"}, only=True),
    ),
    Type(
        "AWS::Events::EventBus",
        "events",
        create=Call("create_event_bus"),
        id="properties.Name",
        read=Call("describe_event_bus", {"Name": "id"}, only=True),
        delete=Call("delete_event_bus", {"Name": "id"}, only=True),
    ),
    Type(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "application-autoscaling",
        create=Call("register_scalable_target"),
        id="join('|', [properties.ResourceId, properties.ScalableDimension, properties.ServiceNamespace])",
        attributes={"Id": "id"},
        parts=(
            Each(
                "ScheduledActions",
                Call(
                    "put_scheduled_action",
                    {
                        "ScheduledActionName": "item.ScheduledActionName",
                        "Schedule": "item.Schedule",
                        "Timezone": "item.Timezone",
                        "StartTime": "item.StartTime",
                        "EndTime": "item.EndTime",
                        "ScalableTargetAction": "item.ScalableTargetAction",
                    },
                ),
                Call("delete_scheduled_action", {"ScheduledActionName": "item.ScheduledActionName"}),
                key="ScheduledActionName",
                clear=True,
            ),
            Put(Call("register_scalable_target"), at_creation=False),
        ),
        delete=Call("deregister_scalable_target"),
    ),
    Type(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "application-autoscaling",
        create=Call("put_scaling_policy", _POLICY),
        id="response.PolicyARN",
        attributes={"Arn": "id"},
        parts=(Put(Call("put_scaling_policy", _POLICY), at_creation=False),),
        delete=Call("delete_scaling_policy", _POLICY),
    ),
)
