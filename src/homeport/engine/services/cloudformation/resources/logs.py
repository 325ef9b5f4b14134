"""CloudWatch Logs' types: AWS::Logs::*."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags

_GROUP = {"logGroupName": "id"}
_OF_GROUP = {"logGroupName": "properties.LogGroupName"}
_GROUP_ARN = "join('', ['arn:aws:logs:', region, ':', account, ':log-group:', id])"

TYPES = (
    Type(
        "AWS::Logs::LogGroup",
        "logs",
        named="LogGroupName",
        limit=512,
        create=Call("create_log_group"),
        id="name",
        attributes={"Arn": f"join('', [{_GROUP_ARN}, ':*'])"},
        parts=(
            Put(
                Call("put_retention_policy", _GROUP),
                ("RetentionInDays",),
                unset=Call("delete_retention_policy", _GROUP, only=True),
            ),
            Tags(
                Call("tag_resource", {"resourceArn": _GROUP_ARN, "tags": "added"}, only=True),
                Call("untag_resource", {"resourceArn": _GROUP_ARN, "tagKeys": "removed"}, only=True),
            ),
        ),
        delete=Call("delete_log_group", _GROUP, only=True),
    ),
    Type(
        "AWS::Logs::LogStream",
        "logs",
        named="LogStreamName",
        limit=512,
        create=Call("create_log_stream"),
        id="name",
        delete=Call("delete_log_stream", {"logStreamName": "id"}),
    ),
    Type(
        "AWS::Logs::MetricFilter",
        "logs",
        named="FilterName",
        limit=512,
        create=Call("put_metric_filter"),
        id="name",
        present=Call("describe_metric_filters", {**_OF_GROUP, "filterNamePrefix": "name"}, only=True),
        present_if="where(response.metricFilters, 'filterName', name)",
        parts=(Put(Call("put_metric_filter", {"filterName": "id"}), at_creation=False),),
        delete=Call("delete_metric_filter", {"filterName": "id"}),
    ),
    Type(
        "AWS::Logs::SubscriptionFilter",
        "logs",
        named="FilterName",
        limit=512,
        create=Call("put_subscription_filter"),
        id="name",
        present=Call("describe_subscription_filters", {**_OF_GROUP, "filterNamePrefix": "name"}, only=True),
        present_if="where(response.subscriptionFilters, 'filterName', name)",
        parts=(Put(Call("put_subscription_filter", {"filterName": "id"}), at_creation=False),),
        delete=Call("delete_subscription_filter", {"filterName": "id"}),
    ),
    Type(
        "AWS::Logs::ResourcePolicy",
        "logs",
        create=Call("put_resource_policy"),
        id="properties.PolicyName",
        parts=(Put(Call("put_resource_policy"), at_creation=False),),
        delete=Call("delete_resource_policy", {"policyName": "id"}, only=True),
    ),
)
