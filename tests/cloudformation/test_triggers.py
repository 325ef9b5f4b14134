"""Rollback triggers: alarms that take a stack's creation or update back.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html"""

from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.ecs.conftest import Alarm
from tests.waiting import until


def template(value: str) -> str:
    return f"Resources: {{P: {{Type: AWS::SSM::Parameter, Properties: {{Name: p, Type: String, Value: {value}}}}}}}"


def test_an_alarm_takes_an_update_back_while_it_is_monitored(engine: RunningEngine):
    api: Any = engine.client("cloudformation")
    alarm = Alarm(engine, "errors")
    trigger = {"Arn": alarm.arn, "Type": "AWS::CloudWatch::Alarm"}

    def status() -> str:
        return str(api.describe_stacks(StackName="app")["Stacks"][0]["StackStatus"])

    def ended() -> str:
        return until(status, lambda status: not status.endswith("_IN_PROGRESS"))

    def value() -> str:
        return str(engine.client("ssm").get_parameter(Name="p")["Parameter"]["Value"])

    watched = {"RollbackTriggers": [trigger]}
    api.create_stack(StackName="app", TemplateBody=template("one"), RollbackConfiguration=watched)
    assert ended() == "CREATE_COMPLETE"
    assert api.describe_stacks(StackName="app")["Stacks"][0]["RollbackConfiguration"] == watched

    monitored = {"MonitoringTimeInMinutes": 180}  # the triggers stay
    api.update_stack(StackName="app", TemplateBody=template("two"), RollbackConfiguration=monitored)
    until(value, lambda value: value == "two")
    assert status() == "UPDATE_IN_PROGRESS"
    alarm.ring()
    assert (ended(), value()) == ("UPDATE_ROLLBACK_COMPLETE", "one")
    events = api.describe_stack_events(StackName="app")["StackEvents"]
    why = f"The following rollback triggers are in ALARM state: [{alarm.arn}]"
    assert why in [event.get("ResourceStatusReason") for event in events]

    missing = {"RollbackTriggers": [{**trigger, "Arn": f"{alarm.arn}-gone"}], "MonitoringTimeInMinutes": 0}
    api.update_stack(StackName="app", TemplateBody=template("three"), RollbackConfiguration=missing)
    assert (ended(), value()) == ("UPDATE_ROLLBACK_COMPLETE", "one")
    reason = api.describe_stack_events(StackName="app")["StackEvents"]
    assert any("do not exist" in event.get("ResourceStatusReason", "") for event in reason)
    api.update_stack(
        StackName="app", TemplateBody=template("four"), RollbackConfiguration={"RollbackTriggers": []}
    )
    assert (ended(), value()) == ("UPDATE_COMPLETE", "four")
