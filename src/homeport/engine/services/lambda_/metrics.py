"""What functions measure, as CloudWatch's metrics of the namespace AWS/Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from homeport.engine.services.context import Context


async def invoked(ctx: Context, function: str, seconds: float, failed: bool) -> None:
    """One invocation that ended after so many seconds."""
    await _put(
        ctx,
        function,
        Invocations=(1.0, "Count"),
        Errors=(float(failed), "Count"),
        Duration=(seconds * 1000, "Milliseconds"),
    )


async def throttled(ctx: Context, function: str) -> None:
    """One invocation that was refused because too many were under way."""
    await _put(ctx, function, Throttles=(1.0, "Count"))


async def _put(ctx: Context, function: str, **values: tuple[float, str]) -> None:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": ctx.now(), "Value": value, "Unit": unit}
        for name, (value, unit) in values.items()
    ]
    await ctx.client("cloudwatch", as_service=True).put_metric_data(Namespace="AWS/Lambda", MetricData=data)
