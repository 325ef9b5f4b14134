"""The visible side of a build: its phases, its status, its events. Every function writes rows and nothing else, to
be called in the transaction of the step that it tells of.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.codebuild import commit_statuses
from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, Row, shown
from homeport.engine.services.context import Context


def topic(id: str) -> str:
    """What is notified whenever the build changes."""
    return f"codebuild.build:{id}"


def submit(ctx: Context, row: Row, now: float) -> None:
    """A new build: SUBMITTED is over at once, QUEUED begins."""
    row["phases"] = [_ended({"phaseType": "SUBMITTED", "startTime": now}, now, "SUCCEEDED", "", "")]
    row["phases"].append({"phaseType": "QUEUED", "startTime": now})
    _save(ctx, row)
    _tell_state(ctx, row)


def enter(ctx: Context, id: str, phase: str, now: float) -> None:
    """A phase begins; the one that ran before has succeeded if nothing else was said of it."""
    row = BUILDS.get(ctx, id)
    if row is None or row["currentPhase"] == phase:
        return
    _close_last(ctx, row, now)
    row["phases"].append({"phaseType": phase, "startTime": now})
    row["currentPhase"] = phase
    _save(ctx, row)


def leave(ctx: Context, id: str, status: str, now: float, code: str = "", message: str = "") -> None:
    """The current phase ends."""
    row = BUILDS.get(ctx, id)
    if row is not None:
        _close_last(ctx, row, now, status, code, message)
        _save(ctx, row)


def change(ctx: Context, id: str, **members: Any) -> None:
    """Set members of the build."""
    row = BUILDS.get(ctx, id)
    if row is not None:
        _save(ctx, row | members)


def complete(ctx: Context, id: str, status: str, now: float) -> None:
    """The build is over."""
    row = BUILDS.get(ctx, id)
    if row is None:
        return
    _close_last(ctx, row, now)
    row["phases"].append({"phaseType": "COMPLETED", "startTime": now})
    row |= {"currentPhase": "COMPLETED", "buildStatus": status, "buildComplete": True, "endTime": now}
    _save(ctx, row)
    _tell_state(ctx, row)


def _close_last(
    ctx: Context, row: Row, now: float, status: str = "SUCCEEDED", code: str = "", message: str = ""
) -> None:
    last = row["phases"][-1]
    if "endTime" in last and (status == "SUCCEEDED" or last["phaseStatus"] != "SUCCEEDED"):
        return
    row["phases"][-1] = _ended(last, now, status, code, message)
    ctx.emit("aws.codebuild", "CodeBuild Build Phase Change", _phase_detail(row), [row["arn"]])


def _ended(phase: Row, now: float, status: str, code: str, message: str) -> Row:
    end = max(now, phase["startTime"])
    return phase | {
        "phaseStatus": status,
        "endTime": end,
        "durationInSeconds": int(end - phase["startTime"]),
        "contexts": [{"statusCode": code, "message": message}],
    }


def _save(ctx: Context, row: Row) -> None:
    BUILDS.put(ctx, row)
    commit_statuses.note(ctx, row)
    ctx.notify(topic(row["id"]))


def logs_location(ctx: Context, settings: Row, uid: str) -> Row:
    """Where the log of a new build goes, as the project's logsConfig says."""
    config = settings.get("logsConfig", {})
    watch = config.get("cloudWatchLogs", {"status": "ENABLED"})
    s3 = config.get("s3Logs", {"status": "DISABLED"})
    logs: Row = {"cloudWatchLogs": watch, "s3Logs": s3}
    if watch["status"] == "ENABLED":
        group = watch.get("groupName") or f"/aws/codebuild/{settings['name']}"
        stream = f"{watch['streamName']}/{uid}" if watch.get("streamName") else uid
        logs |= {
            "groupName": group,
            "streamName": stream,
            "cloudWatchLogsArn": ctx.arn(f"log-group:{group}:log-stream:{stream}", service="logs"),
            "deepLink": f"https://console.aws.amazon.com/cloudwatch/home?region={ctx.region}"
            f"#logsV2:log-groups/log-group/{_quoted(group)}/log-events/{_quoted(stream)}",
        }
    if s3["status"] == "ENABLED" and s3.get("location"):
        bucket, _, prefix = s3["location"].removeprefix("arn:aws:s3:::").partition("/")
        key = f"{prefix.rstrip('/')}/{uid}.gz".lstrip("/")
        logs |= {
            "s3LogsArn": f"arn:aws:s3:::{bucket}/{key}",
            "s3DeepLink": f"https://s3.console.aws.amazon.com/s3/object/{bucket}/{key}?region={ctx.region}",
        }
    return logs


def _quoted(name: str) -> str:
    return name.replace("$", "$2524").replace("/", "$252F")


def _tell_state(ctx: Context, row: Row) -> None:
    detail = {
        "build-status": row["buildStatus"],
        "project-name": row["projectName"],
        "build-id": row["arn"],
        "additional-information": _information(row),
        "current-phase": row["currentPhase"] if row["buildStatus"] != IN_PROGRESS else "SUBMITTED",
        "current-phase-context": "[]",
        "version": "1",
    }
    ctx.emit("aws.codebuild", "CodeBuild Build State Change", detail, [row["arn"]])


def _phase_detail(row: Row) -> Row:
    phase = row["phases"][-1]
    return {
        "completed-phase": phase["phaseType"],
        "completed-phase-status": phase["phaseStatus"],
        "completed-phase-start": _date(phase["startTime"]),
        "completed-phase-end": _date(phase["endTime"]),
        "completed-phase-duration-seconds": phase["durationInSeconds"],
        "completed-phase-context": _contexts(phase),
        "project-name": row["projectName"],
        "build-id": row["arn"],
        "additional-information": _information(row),
        "version": "1",
    }


def _information(row: Row) -> Row:
    seen = shown(row)
    variables = [
        {key: each[key] for key in ("name", "type", "value")}
        for each in seen["environment"]["environmentVariables"]
    ]
    return {
        "artifact": {
            "location": seen["artifacts"].get("location", ""),
            **{key: seen["artifacts"][key] for key in ("md5sum", "sha256sum") if key in seen["artifacts"]},
        },
        "environment": {
            "image": seen["environment"]["image"],
            "privileged-mode": seen["environment"]["privilegedMode"],
            "compute-type": seen["environment"]["computeType"],
            "type": seen["environment"]["type"],
            "environment-variables": variables,
        },
        "timeout-in-minutes": seen["timeoutInMinutes"],
        "queued-timeout-in-minutes": seen["queuedTimeoutInMinutes"],
        "build-complete": seen["buildComplete"],
        "build-number": seen["buildNumber"],
        "initiator": seen["initiator"],
        "build-start-time": _date(seen["startTime"]),
        "source": {
            key: seen["source"][key] for key in ("type", "location", "buildspec") if key in seen["source"]
        },
        **({"source-version": seen["sourceVersion"]} if "sourceVersion" in seen else {}),
        "logs": {
            key: seen["logs"][member]
            for key, member in (
                ("group-name", "groupName"),
                ("stream-name", "streamName"),
                ("deep-link", "deepLink"),
                ("s3-logs", "s3LogsArn"),
            )
            if member in seen["logs"]
        },
        "phases": [
            {
                "phase-type": phase["phaseType"],
                "start-time": _date(phase["startTime"]),
                **(
                    {
                        "phase-status": phase["phaseStatus"],
                        "end-time": _date(phase["endTime"]),
                        "duration-in-seconds": phase["durationInSeconds"],
                        "phase-context": [_contexts(phase)],
                    }
                    if "endTime" in phase
                    else {}
                ),
            }
            for phase in seen["phases"]
        ],
    }


def _contexts(phase: Row) -> str:
    return "[" + ", ".join(f"{each['statusCode']}: {each['message']}" for each in phase["contexts"]) + "]"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%b %d, %Y %I:%M:%S %p")
