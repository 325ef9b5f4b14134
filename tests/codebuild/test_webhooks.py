"""Webhooks: which events start builds, and that only GitHub can send them."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest

from homeport.engine.services.codebuild.webhook_filters import Event, from_github, starts
from tests.codebuild.conftest import Builds
from tests.codebuild.github import TOKEN, GitHub

PUSH = {
    "ref": "refs/heads/main",
    "after": "1" * 40,
    "sender": {"id": 7},
    "repository": {"name": "app"},
    "head_commit": {"message": "mend it [ci]"},
    "commits": [{"added": ["docs/a.md"], "modified": ["src/app.py"], "removed": []}],
}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"type": "EVENT", "pattern": "PUSH"}], True),
        ([{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED, PULL_REQUEST_MERGED"}], False),
        ([{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": "^refs/heads/main$"}], True),
        (
            [
                {"type": "EVENT", "pattern": "PUSH"},
                {"type": "FILE_PATH", "pattern": "^src/", "excludeMatchedPattern": True},
            ],
            False,
        ),
        ([{"type": "EVENT", "pattern": "PUSH"}, {"type": "COMMIT_MESSAGE", "pattern": r"\[ci\]"}], True),
        ([{"type": "EVENT", "pattern": "PUSH"}, {"type": "ACTOR_ACCOUNT_ID", "pattern": "^8$"}], False),
    ],
)
def test_every_filter_of_a_group_must_match(filters, expected):
    event = from_github("push", PUSH)

    assert event is not None
    assert starts([filters], "", event) is expected
    assert starts([filters, [{"type": "EVENT", "pattern": "PUSH"}]], "", event)


def test_a_merged_pull_request_builds_its_merge():
    request = {
        "number": 3,
        "merged": True,
        "merge_commit_sha": "2" * 40,
        "head": {"ref": "x"},
        "base": {"ref": "main"},
    }
    event = from_github("pull_request", {"action": "closed", "pull_request": request, "sender": {"id": 1}})

    assert event == Event("PULL_REQUEST_MERGED", "2" * 40, "refs/heads/x", "refs/heads/main", "1", number=3)


def test_only_signed_calls_start_builds(builds: Builds):
    source = {"type": "GITHUB", "location": "https://github.com/example/app.git"}
    builds.project("hooked", builds.role(), source=source)
    made = builds.client.create_webhook(
        projectName="hooked", filterGroups=[[{"type": "EVENT", "pattern": "PUSH"}]]
    )["webhook"]
    assert "buildType" not in made, "Terraform would take away what it did not ask for"

    with pytest.raises(urllib.error.HTTPError, match="403"):
        send(made["payloadUrl"], "wrong", "push", PUSH)
    answer = send(made["payloadUrl"], made["secret"], "push", PUSH)

    build = builds.get(answer["id"])
    assert build["sourceVersion"] == "1" * 40
    variables = {each["name"]: each["value"] for each in build["environment"]["environmentVariables"]}
    assert variables["CODEBUILD_WEBHOOK_TRIGGER"] == "branch/main"
    builds.client.stop_build(id=build["id"])


def test_filters_look_at_the_files_of_pull_requests(builds: Builds, tmp_path: Path):
    github = GitHub(tmp_path, {"buildspec.yml": ""})
    builds.client.import_source_credentials(
        serverType="GITHUB_ENTERPRISE", authType="PERSONAL_ACCESS_TOKEN", token=TOKEN
    )
    source = {"type": "GITHUB_ENTERPRISE", "location": github.clone_url}
    builds.project("hooked", builds.role(), source=source)
    filters = [
        {"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"},
        {"type": "FILE_PATH", "pattern": "^src/"},
        {"type": "COMMIT_MESSAGE", "pattern": "mend"},
    ]
    hook = builds.client.create_webhook(projectName="hooked", filterGroups=[filters])["webhook"]
    ends = {"head": {"ref": "x", "sha": github.commit}, "base": {"ref": "main"}}
    opened = {"action": "opened", "pull_request": {"number": 3, **ends}, "sender": {"id": 1}}

    with pytest.raises(urllib.error.HTTPError, match="502"):
        send(hook["payloadUrl"], hook["secret"], "pull_request", opened)
    github.api[f"commits/{github.commit}"] = {"commit": {"message": "mend it"}}
    github.api["pulls/3/files"] = [{"filename": "docs/a.md"}]
    ignored = send(hook["payloadUrl"], hook["secret"], "pull_request", opened)
    github.api["pulls/3/files"] = [{"filename": "docs/a.md"}, {"filename": "src/app.py"}]
    accepted = send(hook["payloadUrl"], hook["secret"], "pull_request", opened)
    github.close()

    assert ignored == {"message": "No filter group matches"}
    build = builds.get(accepted["id"])
    assert (build["sourceVersion"], build["source"]["reportBuildStatus"]) == ("pr/3", True)
    builds.client.stop_build(id=build["id"])


@pytest.mark.parametrize(
    "members",
    [
        {"scopeConfiguration": {"name": "org", "scope": "GITHUB_ORGANIZATION"}},
        {"pullRequestBuildPolicy": {"requiresCommentApproval": "ALL_PULL_REQUESTS"}},
        {"filterGroups": [[{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}]]},
    ],
)
def test_what_webhooks_cannot_do_here_is_refused(builds: Builds, members):
    source = {"type": "GITHUB", "location": "https://github.com/example/app.git"}
    builds.project("hooked", builds.role(), source=source)
    with pytest.raises(builds.client.exceptions.InvalidInputException):
        builds.client.create_webhook(projectName="hooked", **members)


def send(url: str, secret: str, event: str, payload: dict[str, Any]):
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "x-github-event": event,
        "x-github-delivery": str(uuid.uuid4()),
        "x-hub-signature-256": f"sha256={signature}",
    }
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
        return json.load(answer)
