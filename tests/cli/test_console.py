"""`homeport console`: what its page is told, and what a person does there, over HTTP as a browser does it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from homeport.cli.permissions.trail import read
from homeport.cli.target import Target
from homeport.pytest_plugin import RunningEngine
from tests.cli.browser import Browser, Served, form
from tests.codebuild.conftest import Builds
from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    approval,
    codecommit_source,
    declaration,
    put,
    role,
    s3_deploy,
)
from tests.ecr.images import DPKG, OS_RELEASE, advisory, layer
from tests.ecr.oci import Registry
from tests.waiting import until


def release(engine: RunningEngine, message: str, *more: Any) -> None:
    """A pipeline `web` of a source, an approval, what else is named, and a deployment."""
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one", message=message)
    stages = [("Source", codecommit_source()), *more, ("Approve", approval()), ("Deploy", s3_deploy())]
    engine.client("codepipeline").create_pipeline(
        pipeline=declaration("web", role(engine), *stages, pipelineType="V2")
    )


def test_nobody_gets_in_but_who_was_told_the_address(served: Served) -> None:
    person, stranger = Browser(served), Browser(served, "guessed")
    ticketed, late = Browser(served, "the-ticket"), Browser(served, "the-ticket")
    pathless = Browser(served)
    pathless.root = ""

    kept = f"Path={person.root}; HttpOnly; SameSite=Strict"
    assert person.entered.headers["Set-Cookie"].endswith(kept) and len(person.root) > 20
    assert pathless.get("/").status == 401
    assert [each.get("/").status for each in (person, ticketed)] == [200, 200]
    assert [each.get("/").status for each in (stranger, late)] == [401, 401]
    assert stranger.get("/static/console.js").status == 401
    assert stranger.post("/do/start", {"pipeline": "web", "confirmed": "yes"}).status == 401


def test_other_pages_and_other_names_are_refused(served: Served) -> None:
    person = Browser(served)
    page = person.get("/")
    body = {"pipeline": "web", "confirmed": "yes"}

    assert person.get("/", Host="rebound.example:80").status == 403
    assert person.get("/events", Sec_Fetch_Site="same-site", Sec_Fetch_Mode="no-cors").status == 403
    assert person.post("/do/start", body, Origin="").status == 403
    assert person.post("/do/start", body, Origin="http://127.0.0.1:3000").status == 403
    assert person.post("/do/start", body, Origin="null").status == 403
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=|https?://", page.text) == []
    assert person.get("/static/../app.py").status == 404


def test_what_was_not_confirmed_or_is_not_whole_is_not_done(browser: Browser) -> None:
    assert browser.post("/do/start", {"pipeline": "web"}).json == {"failed": "It was not confirmed."}
    assert browser.do("start") == {"failed": "pipeline: missing."}
    assert browser.post("/do/start", ["web"]).status == 400
    assert browser.post("/do/destroy", {}).status == 404
    assert "PipelineNotFoundException" in browser.do("start", pipeline="web")["failed"]


def test_a_page_without_deliveries_says_what_to_do_and_hears_of_the_first(
    engine: RunningEngine, browser: Browser
) -> None:
    assert "Nothing is delivered yet" in browser.get("/").text
    heard = browser.stream("/events")

    release(engine, "Say one")

    heard.until("places", lambda shown: "pipelines/web" in shown)
    assert browser.get("/").headers["Location"] == f"{browser.root}/pipelines/web"


def test_a_release_is_followed_approved_rejected_tried_again_and_taken_back(
    engine: RunningEngine, browser: Browser
) -> None:
    release(engine, "Say <script>alert('one')</script> & more")
    page = browser.stream("/pipelines/web/events")

    asked = page.until("release", lambda shown: "do/approve" in shown)
    assert "<script" not in asked and "Say &lt;script&gt;alert(&#39;one&#39;)" in asked
    told = browser.do("approve", comment="it is fine", **form(asked, "approve"))
    good = page.until("release", lambda shown: 'data-state="Succeeded"' in shown)
    put(engine, "two")
    started = browser.do("start", **form(good, "start"))
    asked = page.until("release", lambda shown: "do/reject" in shown and "Say two" in shown)
    browser.do("reject", comment="not today", **form(asked, "reject"))
    failed = page.until("release", lambda shown: 'data-state="Failed"' in shown)
    browser.do("retry", **form(failed, "retry"))
    asked = page.until("release", lambda shown: "do/approve" in shown)
    again = form(asked, "approve")
    browser.do("approve", **again)
    page.until("release", lambda shown: 'data-state="Succeeded"' in shown)
    stale = browser.do("approve", **again)
    back = browser.do("go-back", **form(page.panels["release"], "go-back"))

    assert told == {"said": "Approve/Approve is approved."}
    assert started["said"].startswith("web runs as ")
    assert "not today" in failed and "Approve failed." in failed
    assert "failed" in stale
    assert back["said"].startswith("Deploy goes back, as the execution ")
    page.until("release", lambda shown: "a way back" in shown and 'data-state="Succeeded"' in shown)
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"one"


def test_an_execution_is_stopped_after_what_runs_or_at_once(engine: RunningEngine, browser: Browser) -> None:
    release(engine, "Say one")
    page = browser.stream("/pipelines/web/events")

    asked = page.until("release", lambda shown: "do/approve" in shown and "do/stop" in shown)
    first = browser.do("stop", comment="a better idea", **form(asked, "stop"))
    stopping = page.until(
        "release", lambda shown: 'data-state="Stopping"' in shown or "Abandon</button>" in shown
    )
    again = browser.do("stop", **form(asked, "stop"))
    abandoned = browser.do("stop", **form(stopping, "stop"))
    stopped = page.until("release", lambda shown: 'data-state="Stopped"' in shown)

    assert first == {"said": "web stops after what runs."}
    assert "already stopping" in again["failed"]
    assert abandoned == {"said": "web abandons what runs, and stops."}
    assert "do/stop" not in stopped


def test_what_the_console_asks_for_is_told_from_what_people_do(
    engine: RunningEngine, browser: Browser
) -> None:
    release(engine, "Say one")
    page = browser.stream("/pipelines/web/events")
    page.until("release", lambda shown: "do/approve" in shown)
    page.until("alarms", lambda shown: "Nothing is watched" in shown)
    page.close()
    cloudtrail = engine.client("cloudtrail")

    looks = sum("homeport-console" in agent for agent in _agents(cloudtrail))
    counted = read(cloudtrail, set(), datetime.now(UTC) - timedelta(hours=1), 5000).events

    assert looks > 5
    assert 0 < counted <= len(_agents(cloudtrail)) - looks


def _agents(cloudtrail: Any) -> list[str]:
    """The user agent of each event of the trail."""
    pages = cloudtrail.get_paginator("lookup_events").paginate()
    return [json.loads(each["CloudTrailEvent"])["userAgent"] for page in pages for each in page["Events"]]


def test_pages_share_a_poller_that_ends_with_the_last_of_them(
    served: Served, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homeport.cli.console.hub.GRACE", 0.0)
    one, other = browser.stream("/events"), browser.stream("/events")
    for page in (one, other):
        page.until("places", lambda shown: "<ul>" in shown)

    [board] = served.console.hub.sources.values()
    assert len(board.listeners) == 2
    one.close()
    until(lambda: len(board.listeners) == 1)
    other.close()
    until(lambda: not served.console.hub.sources)


def test_a_build_is_followed_line_by_line(engine: RunningEngine, browser: Browser) -> None:
    builds = Builds(engine)
    says = ["printf '\\033[32mgreen\\033[0m <b>not bold</b>\\n'", "echo two; exit 3"]
    buildspec = json.dumps({"version": "0.2", "phases": {"build": {"commands": says}}})
    source = {"type": "CODEPIPELINE", "buildspec": buildspec}
    builds.project("tests", builds.role(), source=source, artifacts={"type": "CODEPIPELINE"})
    build = action("Build", "Build", "CodeBuild", {"ProjectName": "tests"}, inputs=["Code"])
    check = action("Check", "Compute", "Commands", inputs=["Code"], commands=["cat index.html"])
    release(engine, "Say one", ("Build", build, check))
    page = browser.stream("/pipelines/web/events")

    shown = page.until("builds", lambda shown: "data-log=" in shown)
    lines = browser.log(shown)

    assert "green <b>not bold</b>" in lines and "two" in lines
    failed = page.until("release", lambda shown: 'data-state="Failed"' in shown)
    assert "<b>Build failed.</b>" in failed
    assert browser.log(failed, "Build") == lines
    assert "one" in browser.log(failed, "Build / Check")
    assert browser.log('data-log="builds/tests%3Anone/log"') == ["There is no such build."]
    assert "exit status 3" in page.until("builds", lambda shown: "exit status 3" in shown)
    trouble = browser.post("/pipelines/web/look/findings", {})
    assert trouble.status == 200
    assert "a command of its build fails" in page.until("findings", lambda shown: "build fails" in shown)


def test_a_stack_shows_its_images_alarms_and_names(engine: RunningEngine, browser: Browser) -> None:
    (folder := engine.data / "advisories").mkdir(exist_ok=True)
    severity = {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}
    found = advisory("DSA-1", "Debian:12", "openssl", "3.0.11-1~deb12u3", aliases=["CVE-2026-1"], **severity)
    (folder / "all.json").write_text(json.dumps([found]))
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    pipeline = declaration("web", role(engine), ("Source", codecommit_source()), ("Deploy", s3_deploy()))
    resources = {
        "Images": {
            "Type": "AWS::ECR::Repository",
            "Properties": {"RepositoryName": "pictures", "ImageScanningConfiguration": {"ScanOnPush": True}},
        },
        "Errors": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "web answers 5xx", "Namespace": "web", "MetricName": "errors", "Period": 60,
                "EvaluationPeriods": 1, "Threshold": 1, "Statistic": "Sum",
                "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
            },
        },
        "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": capitalized(pipeline)},
    }  # fmt: skip
    cloudformation = engine.client("cloudformation")
    cloudformation.create_stack(StackName="web", TemplateBody=json.dumps({"Resources": resources}))
    until(
        lambda: cloudformation.describe_stacks(StackName="web")["Stacks"][0]["StackStatus"],
        lambda status: status == "CREATE_COMPLETE",
    )
    token = engine.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    image = layer({"usr/lib/os-release": OS_RELEASE, "var/lib/dpkg/status": DPKG})
    Registry(engine.url, token).push_image("pictures", "v1", image)

    page = browser.stream("/pipelines/web/events")
    images = page.until("images", lambda shown: "CVE-2026-1" in shown)

    assert "1 critical" in images and "libssl3 3.0.11" in images
    assert "web answers 5xx" in page.until("alarms", lambda shown: "5xx" in shown)
    page.until("trail", lambda shown: re.search(r"ecr:CreateRepository</b>.*>Images</span>", shown))


def capitalized(value: Any) -> Any:
    """Members as CloudFormation writes them."""
    if isinstance(value, list):
        return [capitalized(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = ("configuration",)
    return {
        key[0].upper() + key[1:]: each if key in kept else capitalized(each) for key, each in value.items()
    }


def test_what_iam_refuses_is_told_where_it_lacks_and_the_rest_goes_on(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(engine, "Say one")
    iam = engine.client("iam")
    iam.create_user(UserName="guest")
    sees = {"Effect": "Allow", "Action": ["codepipeline:Get*", "codepipeline:List*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [sees]})
    iam.put_user_policy(UserName="guest", PolicyName="sees", PolicyDocument=policy)
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    guest = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    for name, value in (engine.env | guest).items():
        monkeypatch.setenv(name, value)
    served = Served(Target())
    browser = Browser(served)
    try:
        page = browser.stream("/pipelines/web/events")
        asked = page.until("release", lambda shown: "do/approve" in shown)
        alarms = page.until("alarms", lambda shown: "Not seen" in shown)
        trail = page.until("trail", lambda shown: "Not seen" in shown)
        denied = browser.do("approve", **form(asked, "approve"))

        assert "user/guest is not authorized to perform: cloudformation:DescribeStackResources" in alarms
        assert "not authorized to perform: cloudtrail:LookupEvents" in trail
        assert "not authorized to perform: codepipeline:PutApprovalResult" in denied["failed"]
        everything = "".join([*page.panels.values(), browser.get("/pipelines/web").text])
        assert key["SecretAccessKey"] not in everything
    finally:
        browser.close()
        served.stop()


def test_an_engine_that_ends_is_told_and_its_return_too(
    engine: RunningEngine, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    page = browser.stream("/events")
    page.until("places", lambda shown: "<ul>" in shown)

    engine.stop()
    gone = next(data for event, data in page.events() if event == "gone")
    engine.start()
    back = next(data for event, data in page.events() if event == "gone" and not data)

    assert ("Could not connect" in gone, back) == (True, "")


def test_the_command_says_where_it_is_and_ends_when_it_is_told_to(engine: RunningEngine) -> None:
    words = ["console", "--no-open", "--port", "0"]
    command = [sys.executable, "-c", "from homeport.cli.main import main; main()", *words]
    with subprocess.Popen(command, env=engine.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", process.stdout.readline())
        assert found and len(found[2]) > 40
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_the_command_costs_other_commands_nothing() -> None:
    program = (
        "import sys, homeport.cli.console.command\n"
        "print([name for name in ('starlette', 'uvicorn', 'jinja2', 'boto3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
