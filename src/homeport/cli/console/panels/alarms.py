"""The alarms of the stack; of the region, for a pipeline that no stack made."""

from __future__ import annotations

from typing import Any

from homeport.cli.console.delivery import Delivery, Refusals

MOST = 50
_ORDER = {"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`alarms`, those that ring first."""
    stack = refusals.ask(None, lambda: delivery.stack)
    names = refusals.ask([], delivery.of_stack, "AWS::CloudWatch::Alarm") if stack else []
    if stack and not names:
        return {"alarms": []}
    which: dict[str, Any] = {"AlarmNames": names[:MOST]} if names else {"MaxRecords": MOST}
    found = delivery.client("cloudwatch").describe_alarms(
        AlarmTypes=["MetricAlarm", "CompositeAlarm"], **which
    )
    alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
    return {"alarms": sorted(alarms, key=lambda each: (_ORDER.get(each["StateValue"], 3), each["AlarmName"]))}
