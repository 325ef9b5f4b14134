"""A stack makes its resources: it takes none that is there, and so deletes none that others made."""

import json

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import Stack

ALARM = {
    "Namespace": "shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}
TYPES = {
    "AWS::S3::Bucket": {"BucketName": "kept"},
    "AWS::ECS::Cluster": {"ClusterName": "kept"},
    "AWS::SNS::Topic": {"TopicName": "kept"},
    "AWS::SQS::Queue": {"QueueName": "kept"},
    "AWS::CloudWatch::Alarm": {"AlarmName": "kept", **ALARM},
    "AWS::CloudWatch::Dashboard": {"DashboardName": "kept", "DashboardBody": '{"widgets": []}'},
    "AWS::Events::Rule": {"Name": "kept", "ScheduleExpression": "rate(1 day)"},
    "AWS::Logs::MetricFilter": {
        "FilterName": "kept",
        "LogGroupName": "kept",
        "FilterPattern": "ERROR",
        "MetricTransformations": [{"MetricName": "Errors", "MetricNamespace": "shop", "MetricValue": "1"}],
    },
}


def test_a_stack_takes_nothing_that_is_there_already(engine: RunningEngine):
    engine.client("logs").create_log_group(logGroupName="kept")
    first = Stack(engine, "first").create(
        json.dumps(
            {
                "Resources": {
                    f"R{number}": {"Type": type, "Properties": properties}
                    for number, (type, properties) in enumerate(TYPES.items())
                }
            }
        )
    )
    others = {type: Stack(engine, f"other-{type.rpartition('::')[2]}") for type in TYPES}
    for type, stack in others.items():
        template = {"Resources": {"R": {"Type": type, "Properties": TYPES[type]}}}
        stack.client.create_stack(StackName=stack.name, TemplateBody=json.dumps(template))
    for type, stack in others.items():
        stack.wait("stack_create_complete", ok=False)
        assert f"Resource of type '{type}' with identifier 'kept' already exists." in stack.reasons
        stack.delete()

    engine.client("s3").head_bucket(Bucket="kept")
    engine.client("sqs").get_queue_url(QueueName="kept")
    engine.client("events").describe_rule(Name="kept")
    assert engine.client("cloudwatch").describe_alarms(AlarmNames=["kept"])["MetricAlarms"]
    first.delete()
