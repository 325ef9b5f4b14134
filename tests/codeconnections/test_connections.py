"""Sources behind connections: a plain git repository on this machine, webhooks and polling."""

import hashlib
import hmac
import json
import subprocess
import urllib.error
import urllib.request
import uuid

import pytest

from tests.codepipeline.pipelines import BUCKET, action, declaration, ended, first, outcome, role, s3_deploy
from tests.waiting import until

SECRET = "it is a secret"
REPOSITORY = "team/app"


class Upstream:
    """A repository that is not CodeCommit's."""

    def __init__(self, folder):
        self.folder = folder / REPOSITORY
        self.folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, text, path="index.html"):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", f"Say {text}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def upstream(tmp_path):
    repository = Upstream(tmp_path)
    repository.commit("one")
    return repository


@pytest.fixture
def connection(engine, tmp_path, upstream):
    return connect(engine, tmp_path)


def connect(engine, tmp_path):
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("secretsmanager").create_secret(
        Name="hook", SecretString=json.dumps({"webhookSecret": SECRET})
    )
    client = engine.client("codeconnections")
    host = client.create_host(
        Name="local", ProviderType="GitHubEnterpriseServer", ProviderEndpoint=f"file://{tmp_path}"
    )["HostArn"]
    return client.create_connection(
        ConnectionName="app", HostArn=host, Tags=[{"Key": "homeport:secret", "Value": "hook"}]
    )["ConnectionArn"]


def create(engine, connection, **members):
    configuration = {"ConnectionArn": connection, "FullRepositoryId": REPOSITORY, "BranchName": "main"}
    source = action("Source", "Source", "CodeStarSourceConnection", configuration, outputs=["Code"])
    structure = declaration(
        "web", role(engine), ("Source", source), ("Deploy", s3_deploy()), pipelineType="V2", **members
    )
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web")) == ("Succeeded", [])


def deliver(engine, connection, event, payload, delivery=None, secret=SECRET, signature=None):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    computed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": signature or computed,
        "Content-Type": "application/json",
    }
    return call(engine, connection, "POST", body, headers)


def call(engine, connection, method, body=None, headers=None, path=""):
    url = f"{engine.url}/webhooks/{connection.rpartition('/')[2]}{path}"
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def push(before, after, **members):
    commit = {"id": after, "message": "m", "added": [], "modified": ["index.html"], "removed": []}
    return {
        "ref": "refs/heads/main", "before": before, "after": after, "repository": {"full_name": REPOSITORY},
        "head_commit": commit, "commits": [commit], **members,
    }  # fmt: skip


def executions(engine):
    return engine.client("codepipeline").list_pipeline_executions(pipelineName="web")[
        "pipelineExecutionSummaries"
    ]


def test_a_push_told_by_a_webhook_deploys_its_commit_once(engine, connection, upstream):
    create(engine, connection)
    before = upstream.git("rev-parse", "HEAD")
    after = upstream.commit("two")
    assert deliver(engine, connection, "push", push(before, after), "d-1")[0] == 202
    assert deliver(engine, connection, "push", push(before, after), "d-1")[0] == 200, (
        "a replay changes nothing"
    )
    assert deliver(engine, connection, "push", push(before, after), "d-2")[0] == 200, (
        "under another id neither"
    )
    newest = until(lambda: len(executions(engine)) == 2 and executions(engine)[0])
    assert newest["trigger"] == {"triggerType": "WebhookV2", "triggerDetail": connection}
    assert ended(engine, "web", newest["pipelineExecutionId"])["artifactRevisions"][0]["revisionId"] == after
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"two"
    assert len(executions(engine)) == 2


def test_a_wrong_signature_is_refused(engine, connection, upstream):
    create(engine, connection)
    head = upstream.commit("two")
    status, answer = deliver(engine, connection, "push", push(head, head), secret="guessed")
    assert (status, answer["message"]) == (403, "The signature X-Hub-Signature-256 is missing or wrong")
    for signature in ("sha256=", "sha1=" + "0" * 40, "\xe9" * 71):
        assert deliver(engine, connection, "push", push(head, head), signature=signature)[0] == 403
    assert len(executions(engine)) == 1
    assert call(engine, connection, "GET")[0] == 403


def test_a_payload_of_25_mib_is_taken_and_a_larger_one_refused(engine, connection, upstream):
    limit = 25 * 1024 * 1024
    largest = b'{"zen": "' + b"x" * (limit - 11) + b'"}'
    assert deliver(engine, connection, "star", largest)[0] == 202
    assert deliver(engine, connection, "star", largest + b" ")[0] == 413


def test_a_failed_delivery_is_kept_shown_and_redelivered(engine, connection, upstream):
    create(engine, connection)
    before = upstream.git("rev-parse", "HEAD")
    after = upstream.commit("two")
    moved = upstream.folder.rename(upstream.folder.with_name("away"))
    assert deliver(engine, connection, "push", push(before, after, forced=True), "d-1")[0] == 202
    bearer = {"Authorization": f"Bearer {SECRET}"}

    def shown():
        found = call(engine, connection, "GET", headers=bearer)[1]
        return found[0] if found and found[0]["status"] != "Received" else None

    assert until(shown)["status"] == "Failed" and "cannot be read" in shown()["reason"]
    moved.rename(upstream.folder)
    assert call(engine, connection, "POST", b"", bearer, "/d-1")[0] == 202
    done = until(lambda: (found := shown()) and found["status"] == "Processed" and found)
    assert ended(engine, "web", done["started"][0])["status"] == "Succeeded"


def test_a_delivery_outlives_the_engine(own_engine, tmp_path):
    own_engine.start()
    connection = connect(own_engine, tmp_path)
    bearer = {"Authorization": f"Bearer {SECRET}"}

    def ended(attempt):
        [found] = call(own_engine, connection, "GET", headers=bearer)[1]
        return found["attempt"] == attempt and found["status"] != "Received" and found["status"]

    assert deliver(own_engine, connection, "star", b"{}", "d-1")[0] == 202
    assert until(lambda: ended(1)) == "Ignored"
    own_engine.restart()
    assert call(own_engine, connection, "POST", b"", bearer, "/d-1")[0] == 202
    assert until(lambda: ended(2)) == "Ignored"


def test_triggers_filter_tags_and_paths(engine, connection, upstream):
    filters = [
        {"tags": {"includes": ["v*"]}},
        {"branches": {"includes": ["main"]}, "filePaths": {"includes": ["src/**"]}},
    ]
    trigger = {
        "providerType": "CodeStarSourceConnection",
        "gitConfiguration": {"sourceActionName": "Source", "push": filters},
    }
    create(engine, connection, triggers=[trigger])
    before, after = upstream.git("rev-parse", "HEAD"), upstream.commit("two")
    deliver(engine, connection, "push", push(before, after), "docs-only")
    upstream.git("tag", "v1")
    tag = push("0" * 40, after, ref="refs/tags/v1", created=True)
    deliver(engine, connection, "push", tag, "tag")
    newest = until(lambda: len(executions(engine)) == 2 and executions(engine)[0])
    assert ended(engine, "web", newest["pipelineExecutionId"])["status"] == "Succeeded"
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert {
        one["deliveryId"]: one["status"] for one in call(engine, connection, "GET", headers=bearer)[1]
    } == {
        "docs-only": "Ignored",
        "tag": "Processed",
    }


def test_pull_requests_start_the_pipeline_for_their_paths_until_they_are_merged(engine, connection, upstream):
    wanted = {
        "events": ["OPEN", "UPDATED"],
        "branches": {"includes": ["main"]},
        "filePaths": {"includes": ["src/**"], "excludes": ["**/*.md"]},
    }
    trigger = {
        "providerType": "CodeStarSourceConnection",
        "gitConfiguration": {"sourceActionName": "Source", "pullRequest": [wanted]},
    }
    create(engine, connection, triggers=[trigger], executionMode="PARALLEL")
    base = upstream.git("rev-parse", "HEAD")
    upstream.git("checkout", "-qb", "feature")

    def tell(kind, delivery):
        request = {"base": {"ref": "main", "sha": base}, "head": {"sha": upstream.git("rev-parse", "HEAD")}}
        payload = {
            "action": kind,
            "number": 7,
            "pull_request": request,
            "repository": {"full_name": REPOSITORY},
        }
        assert deliver(engine, connection, "pull_request", payload, delivery)[0] == 202

    upstream.commit("docs", "src/README.md")
    upstream.git("update-ref", "refs/pull/7/head", "HEAD")
    tell("opened", "docs")
    code = upstream.commit("code", "src/app.py")
    upstream.git("update-ref", "refs/pull/7/head", "HEAD")
    tell("synchronize", "code")
    tell("closed", "merged")
    bearer = {"Authorization": f"Bearer {SECRET}"}

    def told():
        found = call(engine, connection, "GET", headers=bearer)[1]
        statuses = {one["deliveryId"]: one["status"] for one in found}
        return statuses if "Received" not in statuses.values() else None

    assert until(told) == {"docs": "Ignored", "code": "Processed", "merged": "Ignored"}
    newest, _ = executions(engine)
    assert ended(engine, "web", newest["pipelineExecutionId"])["artifactRevisions"][0]["revisionId"] == code


def test_ten_branches_at_once_start_one_execution_each_and_a_deleted_one_none(engine, connection, upstream):
    trigger = {
        "providerType": "CodeStarSourceConnection",
        "gitConfiguration": {
            "sourceActionName": "Source",
            "push": [{"branches": {"includes": ["release/*"], "excludes": ["release/old*"]}}],
        },
    }
    create(engine, connection, triggers=[trigger], executionMode="QUEUED")
    commits = set()
    for number in range(10):
        upstream.git("checkout", "-qB", f"release/{number}", "main")
        commit = upstream.commit(str(number))
        commits.add(commit)
        payload = push("0" * 40, commit, ref=f"refs/heads/release/{number}", created=True)
        assert deliver(engine, connection, "push", payload)[0] == 202
    gone = push(commit, "0" * 40, ref="refs/heads/release/9", deleted=True, head_commit=None, commits=[])
    assert deliver(engine, connection, "push", gone)[0] == 202
    old = push("0" * 40, commit, ref="refs/heads/release/old", created=True)
    assert deliver(engine, connection, "push", old)[0] == 202

    def all_ended():
        found = executions(engine)
        return found if len(found) == 11 and {one["status"] for one in found} == {"Succeeded"} else None

    found = until(all_ended)[:-1]
    assert {one["sourceRevisions"][0]["revisionId"] for one in found} == commits


def test_a_repository_without_webhooks_is_polled(engine, connection, upstream):
    create(engine, connection)
    engine.restart()  # a start looks at every repository at once, instead of in half a minute
    upstream.git("tag", "v1")
    after = upstream.commit("two")
    engine.restart()
    newest = until(lambda: len(executions(engine)) == 2 and executions(engine)[0])
    assert newest["trigger"] == {"triggerType": "WebhookV2", "triggerDetail": connection}
    assert ended(engine, "web", newest["pipelineExecutionId"])["artifactRevisions"][0]["revisionId"] == after
    before = upstream.git("rev-parse", "HEAD~1")
    assert deliver(engine, connection, "push", push(before, after), "late")[0] == 202
    upstream.git("commit", "-q", "--amend", "-m", "forced")
    forced = upstream.git("rev-parse", "HEAD")
    engine.restart()
    newest = until(lambda: len(executions(engine)) == 3 and executions(engine)[0])
    assert ended(engine, "web", newest["pipelineExecutionId"])["artifactRevisions"][0]["revisionId"] == forced


CLONED = """version: 0.2
env:
  exported-variables: [COUNT]
phases:
  build:
    commands:
      - COUNT=$(git rev-list --count HEAD)
"""


def test_a_full_clone_gives_the_build_the_history(engine, connection, upstream):
    upstream.commit("two")
    arn = role(engine, "codepipeline", "codebuild")
    engine.client("codebuild").create_project(
        name="count",
        serviceRole=arn,
        source={"type": "CODEPIPELINE", "buildspec": CLONED},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "homeport/build:bookworm",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    )
    configuration = {
        "ConnectionArn": connection,
        "FullRepositoryId": REPOSITORY,
        "BranchName": "main",
        "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
    }
    source = action("Source", "Source", "CodeStarSourceConnection", configuration, outputs=["Code"])
    count = action("Count", "Build", "CodeBuild", {"ProjectName": "count"}, ["Code"], namespace="Counted")
    commands = action("Commands", "Compute", "Commands", inputs=["Code"], commands=["git log -1"], runOrder=2)
    structure = declaration("web", arn, ("Source", source), ("Build", count, commands), pipelineType="V2")
    engine.client("codepipeline").create_pipeline(pipeline=structure)

    assert outcome(engine, "web", first(engine, "web"), seconds=60) == ("Succeeded", [])
    actions = engine.client("codepipeline").list_action_executions(pipelineName="web")
    variables = {
        one["actionName"]: one["output"].get("outputVariables") for one in actions["actionExecutionDetails"]
    }
    assert variables["Count"] == {"COUNT": "2"}
