"""Access logs: what Envoy wrote about each request, put into the user's bucket in AWS's format.

Every five minutes, one file for each load balancer. A file that was taken from Envoy stays until everything of it is
in S3.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.elbv2.naming import dimension
from homeport.engine.services.elbv2.tables import LISTENERS, LOAD_BALANCERS, TARGET_GROUPS
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_EVERY = 300.0


async def prove_access(ctx: Context, balancer: Body, attributes: dict[str, str]) -> None:
    """Write the test file that AWS writes when access logs are switched on. Raises when the bucket is not there."""
    if attributes.get("access_logs.s3.enabled") != "true":
        return
    bucket = attributes.get("access_logs.s3.bucket", "")
    if not bucket:
        raise AwsError("ValidationError", "The value of 'access_logs.s3.bucket' cannot be empty")
    key = f"{_folder(ctx, attributes)}/ELBAccessLogTestFile"
    text = f"Enable AccessLog for ELB: {balancer['LoadBalancerName']} at {int(ctx.now())}\n"
    try:
        await ctx.client("s3", as_service=True).put_object(Bucket=bucket, Key=key, Body=text.encode())
    except AwsError as error:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {bucket}. Please check S3bucket permission: {error.message}",
        ) from error


async def _ship(ctx: Context, key: str) -> float | None:
    proxy = ctx.engine.proxy
    if not proxy.started:
        return None
    wanted = {
        body["LoadBalancerArn"]: (scope, body)
        for scope, body in LOAD_BALANCERS.everywhere(ctx.engine.store)
        if body["attributes"].get("access_logs.s3.enabled") == "true"
    }
    taken = proxy.folder / "access.log.taken"
    if not taken.exists():
        await proxy.take_access_log(taken)
    if taken.exists():
        for arn, lines in _by_balancer(taken).items():
            if arn in wanted:
                scope, balancer = wanted[arn]
                await _put(ctx.within(scope), balancer, lines)
        taken.unlink()
    return _EVERY if wanted else None


def _by_balancer(path: Path) -> dict[str, list[Body]]:
    found: dict[str, list[Body]] = {}
    with path.open() as file:
        for line in file:
            entry = json.loads(line)
            if entry["load_balancer"]:
                found.setdefault(entry["load_balancer"], []).append(entry)
    return found


async def _put(ctx: Context, balancer: Body, entries: list[Body]) -> None:
    attributes = balancer["attributes"]
    certificates = {
        listener["ListenerArn"].rsplit("/", 1)[-1]: listener["certificates"][0]
        for listener in LISTENERS.list(ctx, LoadBalancerArn=balancer["LoadBalancerArn"])
        if listener["certificates"]
    }
    groups = {
        "-".join(body["TargetGroupArn"].split("/")[1:]): body["TargetGroupArn"]
        for body in TARGET_GROUPS.list(ctx)
    }
    text = "".join(_line(balancer, entry, groups, certificates) + "\n" for entry in entries)
    time = datetime.fromtimestamp(ctx.now(), UTC)
    name = dimension(balancer["LoadBalancerArn"]).replace("/", ".")
    key = (
        f"{_folder(ctx, attributes)}/elasticloadbalancing/{ctx.region}/{time:%Y/%m/%d}/{ctx.account}"
        f"_elasticloadbalancing_{ctx.region}_{name}_{time:%Y%m%dT%H%MZ}_127.0.0.1_{secrets.token_hex(4)}.log.gz"
    )
    await ctx.client("s3", as_service=True).put_object(
        Bucket=attributes["access_logs.s3.bucket"], Key=key, Body=gzip.compress(text.encode())
    )


def _line(balancer: Body, entry: Body, groups: dict[str, str], certificates: dict[str, str]) -> str:
    """One entry: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#access-log-entry-syntax"""
    secure = entry["tls_version"] is not None
    end = float(entry["time"]) + entry["duration"] / 1000
    target = entry["target"] or "-"
    answered = entry["details"] == "via_upstream"
    action = "forward" if entry["target_group"] else "redirect" if entry["location"] else "fixed-response"
    waited = _seconds(entry["request_duration"])
    total = entry["duration"] / 1000
    first_byte = entry["response_duration"]
    fields = [
        ("h2" if entry["protocol"] == "HTTP/2" else "https") if secure else "http",
        _time(end),
        dimension(balancer["LoadBalancerArn"]),
        entry["client"],
        target,
        waited if entry["target_group"] else "-1",
        _seconds(first_byte) if answered else "-1",
        f"{max(total - (first_byte or 0) / 1000, 0):.3f}" if answered else "-1",
        entry["status"],
        entry["status"] if answered else "-",
        entry["received"],
        entry["sent"],
        f'"{entry["method"]} {entry["scheme"]}://{entry["host"]}{entry["path"]} {entry["protocol"]}"',
        f'"{entry["user_agent"] or "-"}"',
        entry["tls_cipher"] or "-",
        entry["tls_version"] or "-",
        groups.get(entry["target_group"] or "", "-"),
        f'"{entry["trace_id"] or "-"}"',
        f'"{entry["server_name"] or "-"}"',
        f'"{certificates.get(entry["listener"].rsplit("-", 1)[-1], "-")}"',
        0 if entry["priority"] == "default" else entry["priority"],
        _time(float(entry["time"])),
        f'"{action}"',
        f'"{entry["location"] or "-"}"',
        '"-"',
        f'"{target}"',
        f'"{entry["status"] if answered else "-"}"',
        '"-"',
        '"-"',
        "-",
    ]
    return " ".join(str(field) for field in fields)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seconds(milliseconds: int | None) -> str:
    return "-1" if milliseconds is None else f"{milliseconds / 1000:.3f}"


def _folder(ctx: Context, attributes: dict[str, str]) -> str:
    """The key under which AWS puts a load balancer's logs: `<prefix>/AWSLogs/<account>`."""
    prefix = attributes.get("access_logs.s3.prefix", "").strip("/")
    return f"{prefix}/AWSLogs/{ctx.account}" if prefix else f"AWSLogs/{ctx.account}"


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    return [(Scope(engine.account, engine.region), "all")]


RECONCILER = Reconciler("elbv2.access-logs", _keys, _ship)
