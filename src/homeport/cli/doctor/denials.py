"""What roles were denied, from the audit trail, from failed actions and from builds' logs, with the line to add."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.logs import build_log
from homeport.cli.permissions import grants

RECENT = timedelta(hours=3)
SENTENCE = re.compile(
    r"User: (?P<who>arn:\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+?))?(?: because (?P<why>[^\n\"]*?))?(?:$|[\n\"])",
    re.MULTILINE,
)
_SESSION = re.compile(r"arn:aws[\w-]*:sts::\d+:assumed-role/([^/]+)/")


def check(scope: Scope) -> Iterator[Diagnosis]:
    """Each denied pair of action and resource once for each role, the newest first."""
    seen: set[tuple[str, str, str]] = set()
    failed = [action.summary for _, action in scope.failures]
    for message in (*_from_trail(scope), *failed, *_from_builds(scope)):
        for denied in SENTENCE.finditer(message):
            role = _SESSION.match(denied["who"])
            who = role[1] if role else denied["who"]
            resource = denied["resource"] or "*"
            if (scope.stack and who not in scope.roles) or (who, denied["action"], resource) in seen:
                continue
            seen.add((who, denied["action"], resource))
            sentence = denied[0].strip('"\n ')
            yield _diagnosis(
                scope, who, bool(role), denied["action"], resource, denied["why"] or "", sentence
            )


def _diagnosis(
    scope: Scope, who: str, is_role: bool, action: str, resource: str, why: str, sentence: str
) -> Diagnosis:
    logical = scope.roles.get(who)
    named = f"the role {logical} ({who})" if logical else f"the role {who}" if is_role else who
    if "explicit deny" in why:
        mend = f"Remove or narrow the Deny that matches {action} on {resource}: {why}"
    elif "permissions boundary" in why:
        mend = f"Let the permissions boundary of {named} allow {action}"
    else:
        statement = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource}, indent=2)
        policy = _policy(scope, who, action) if is_role else None
        where = f"the policy `{policy}` of {named}" if policy else f"a policy of {named}"
        mend = f"Add to {where}:\n{statement}"
    what = "push" if action.startswith("ecr:") and _writes(action) else "call"
    return Diagnosis(logical or who, f"its {what} {action} is denied", sentence, mend)


def _writes(action: str) -> bool:
    return not action.partition(":")[2].startswith(("Get", "BatchGet", "Describe", "List", "BatchCheck"))


def _policy(scope: Scope, role: str, action: str) -> str | None:
    """The role's own policy that has actions of the same service; None when there is none, or none can be read."""
    try:
        policies = grants.of_role(scope.client("iam"), role)
    except ClientError:
        return None
    service = action.partition(":")[0]
    for policy in policies:
        granted = [each for statement in policy.statements for each in grants.actions(statement)]
        if not policy.managed and any(each.startswith(f"{service}:") for each in granted):
            return policy.name
    return None


def _from_trail(scope: Scope) -> Iterator[str]:
    """Calls that change something are looked through by themselves: whoever polls, a console or a program that waits,
    would push them out of the newest events."""
    lookup = scope.client("cloudtrail").get_paginator("lookup_events")
    for reads in ("false", "true"):
        pages = lookup.paginate(
            StartTime=datetime.now(UTC) - RECENT,
            LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": reads}],
            PaginationConfig={"MaxItems": 1000, "PageSize": 50},
        )
        for event in (event for page in pages for event in page["Events"]):
            body = json.loads(event.get("CloudTrailEvent") or "{}")
            if re.search("AccessDenied|Unauthorized", body.get("errorCode") or ""):
                yield body.get("errorMessage") or ""


def _from_builds(scope: Scope) -> Iterator[str]:
    """The logs of failed builds: what `docker push` is denied stands there at once, in a trail of AWS minutes later."""
    codebuild = scope.client("codebuild")
    for page in codebuild.get_paginator("list_projects").paginate():
        for name in page["projects"]:
            if not scope.holds("AWS::CodeBuild::Project", name):
                continue
            ids = codebuild.list_builds_for_project(projectName=name, sortOrder="DESCENDING")["ids"][:1]
            for build in codebuild.batch_get_builds(ids=ids)["builds"] if ids else []:
                if build["buildStatus"] == "FAILED":
                    yield from build_log(codebuild, scope.client("logs"), build["id"], last=200)
