"""Telling the source provider how builds go: `reportBuildStatus`, as commit statuses on GitHub.

A row holds what is to be told of one build or batch and what was told last; a loop brings the second to the first. A
status that cannot be told fails no build: what was the matter stands in the context of the build's last phase.
https://docs.aws.amazon.com/codebuild/latest/userguide/create-project.html
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.codebuild import git_access, github
from homeport.engine.services.codebuild.tables import BATCHES, BUILDS, IN_PROGRESS, STATUSES, Row
from homeport.engine.services.context import Context
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

NAME = "codebuild.status"
NOT_TOLD = "COMMIT_STATUS_NOT_REPORTED"
"""The status code of the context that says why."""
INDIVIDUAL = "REPORT_INDIVIDUAL_BUILDS"
_WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_STATES = {
    IN_PROGRESS: ("pending", "started"),
    "SUCCEEDED": ("success", "succeeded"),
    "FAILED": ("failure", "failed"),
    "TIMED_OUT": ("error", "timed out"),
    "STOPPED": ("error", "was stopped"),
}


def note(ctx: Context, row: Row) -> None:
    """Have it told how the build or batch is now; call it in the transaction that writes the row. In a batch, either
    its builds are told of or the whole (`batchReportMode`)."""
    source = row["source"]
    if not source.get("reportBuildStatus") or source["type"] not in github.SOURCES:
        return
    if row.get("buildBatchConfig", {}).get("batchReportMode") == INDIVIDUAL:
        return
    versions = (row.get("resolvedSourceVersion", ""), row.get("sourceVersion", ""))
    commit = next((each for each in versions if _COMMIT.fullmatch(each)), None)
    known, wanted = STATUSES.get(ctx, row["arn"]), _status(row)
    if commit is None or (known is None and wanted["state"] != "pending"):
        return
    known = known or {"arn": row["arn"], "wanted": None, "told": None}
    if known["wanted"] != wanted:
        members = {key: row[key] for key in ("source", "serviceRole", "_assumesAs") if key in row}
        STATUSES.put(ctx, known | members | {"commit": commit, "wanted": wanted, "attempt": 0})
        ctx.wake(NAME, row["arn"])


def _status(row: Row) -> Row:
    """The body of GitHub's request."""
    status = row.get("buildStatus") or row["buildBatchStatus"]
    state, verb = _STATES.get(status, ("error", "failed"))
    noun = "Build" if "buildStatus" in row else "Batch build"
    config = row["source"].get("buildStatusConfig") or {}
    return {
        "state": state,
        "target_url": _expanded(config.get("targetUrl", ""), row) or _url(row),
        "description": f"{noun} {verb} for project {row['projectName']}"[:140],
        "context": _expanded(config.get("context", ""), row) or _context(row),
    }


def _context(row: Row) -> str:
    region = row["arn"].split(":")[3]
    build = _variables(row).get("CODEBUILD_BATCH_BUILD_IDENTIFIER", "")
    return f"AWS CodeBuild {region} ({row['projectName']}{f':{build}' if build else ''})"


def _url(row: Row) -> str:
    _, _, _, region, account, resource = row["arn"].split(":", 5)
    kind, _, id = resource.partition("/")
    noun = "batch" if kind == "build-batch" else "build"
    return (
        f"https://{region}.console.aws.amazon.com/codesuite/codebuild/{account}/projects/{row['projectName']}/"
        f"{noun}/{id.replace(':', '%3A')}/?region={region}"
    )


def _expanded(text: str, row: Row) -> str:
    """A text of `buildStatusConfig`, with the variables of the build in it."""
    variables = _variables(row)
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], found[0]), text)


def _variables(row: Row) -> dict[str, str]:
    region = row["arn"].split(":")[3]
    given = {each["name"]: each["value"] for each in row["environment"].get("environmentVariables", ())}
    return given | {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "CODEBUILD_BUILD_ARN": row["arn"],
        "CODEBUILD_BUILD_ID": row["id"],
        "CODEBUILD_BUILD_NUMBER": str(row.get("buildNumber") or row.get("buildBatchNumber", "")),
        "CODEBUILD_INITIATOR": row["initiator"],
    }


async def _reconcile(ctx: Context, arn: str) -> float | None:
    row = STATUSES.get(ctx, arn)
    if row is None or row["wanted"] == row["told"]:
        return None
    try:
        await _tell(replace(ctx, assumes_as=row.get("_assumesAs")), row)
    except github.Unreachable as error:
        after = _WAITS[row["attempt"]] if row["attempt"] < len(_WAITS) else None
        wait = max(after, error.after) if after else None
        _failed(ctx, row, f"{error} (tried {row['attempt'] + 1} times)", give_up=wait is None)
        return wait
    except github.Refused as error:
        _failed(ctx, row, str(error), give_up=True)
    except AwsError as error:
        _failed(ctx, row, f"{error.code}: {error.message}", give_up=True)
    else:
        _told(ctx, row)
    return None


async def _tell(ctx: Context, row: Row) -> None:
    source = row["source"]
    access = await git_access.find(ctx, row["serviceRole"], source)
    if access is None:
        raise github.Refused(
            f"There are no credentials for {source['location']}: import some by `aws codebuild "
            f"import-source-credentials --server-type {source['type']} --auth-type PERSONAL_ACCESS_TOKEN --token …`"
        )
    url = github.status_url(source, row["commit"])
    await github.create_status(ctx.engine.config, url, access.token, row["wanted"])


def _failed(ctx: Context, row: Row, message: str, give_up: bool) -> None:
    log.warning("the status of %s is not reported: %s", row["arn"], message)
    with ctx.store.transaction():
        current = STATUSES.get(ctx, row["arn"])
        if current is None or current["wanted"] != row["wanted"]:
            return
        _show(ctx, row["arn"], [{"statusCode": NOT_TOLD, "message": message}])
        if give_up:
            _done(ctx, current, row["wanted"])
        else:
            STATUSES.put(ctx, current | {"attempt": row["attempt"] + 1})


def _told(ctx: Context, row: Row) -> None:
    with ctx.store.transaction():
        current = STATUSES.get(ctx, row["arn"])
        if current:
            _show(ctx, row["arn"], [])
            _done(ctx, current, row["wanted"])


def _done(ctx: Context, current: Row, status: Row) -> None:
    """Nothing more is done for this status; after the last one of a build the row is not needed any more."""
    if current["wanted"] == status and status["state"] != "pending":
        STATUSES.delete(ctx, current["arn"])
    else:
        STATUSES.put(ctx, current | {"told": status})


def _show(ctx: Context, arn: str, contexts: list[Row]) -> None:
    """Say it at the end of a build that is over."""
    table, id = (BATCHES if ":build-batch/" in arn else BUILDS), arn.partition("/")[2]
    row = table.get(ctx, id)
    if row is None or not (row.get("buildComplete") or row.get("complete")):
        return
    last = row["phases"][-1]
    if contexts or last.get("contexts", [{}])[0].get("statusCode") == NOT_TOLD:
        last["contexts"] = contexts
        table.put(ctx, row)


def _keys(engine: Any) -> Iterable[tuple[Scope, str]]:
    return [(scope, row["arn"]) for scope, row in STATUSES.everywhere(engine.store)]


RECONCILER = Reconciler(NAME, _keys, _reconcile)
