"""Git over HTTP, as git and the aws cli's credential helper do it."""

import io
import json
import subprocess
import zipfile

import pytest

from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    codecommit_source,
    declaration,
    first,
    outcome,
    role,
)
from tests.waiting import until


def git(engine, folder, *arguments, check=True):
    helper = "!aws codecommit credential-helper $@"
    command = [
        "git", "-c", f"credential.helper={helper}", "-c", "credential.UseHttpPath=true",
        "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, env=git_env(engine), capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(done.stderr)
    return done


def git_env(engine):
    import sys
    from pathlib import Path

    env = dict(engine.env)
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    env["GIT_TERMINAL_PROMPT"] = "0"
    env["GIT_CONFIG_NOSYSTEM"] = "1"
    return env


@pytest.fixture
def repository(engine):
    created = engine.client("codecommit").create_repository(repositoryName="app")
    return created["repositoryMetadata"]


def commit(engine, folder, name, text, message="A change"):
    (folder / name).write_text(text)
    git(engine, folder, "add", "-A")
    git(engine, folder, "commit", "-qm", message)
    return git(engine, folder, "rev-parse", "HEAD").stdout.strip()


def test_a_pushed_commit_can_be_cloned_and_read_by_the_api(engine, repository, tmp_path):
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "work")
    work = tmp_path / "work"
    git(engine, work, "checkout", "-qb", "main")
    head = commit(engine, work, "app.py", "print(1)\n")
    git(engine, work, "push", "-q", "origin", "main")

    codecommit = engine.client("codecommit")
    assert codecommit.get_branch(repositoryName="app", branchName="main")["branch"]["commitId"] == head
    assert (
        codecommit.get_file(repositoryName="app", filePath="app.py", commitSpecifier=head)["fileContent"]
        == b"print(1)\n"
    )
    until(lambda: "defaultBranch" in codecommit.get_repository(repositoryName="app")["repositoryMetadata"])
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "again")
    assert (tmp_path / "again" / "app.py").read_text() == "print(1)\n"


def test_a_wrong_secret_is_refused(engine, repository, tmp_path):
    url = repository["cloneUrlHttp"].replace(
        "http://", "http://AKIAIOSFODNN7EXAMPLE:20260102T030405Z" + "0" * 64 + "@"
    )
    done = git(engine, tmp_path, "clone", url, "work", check=False)
    assert done.returncode != 0


def test_a_commit_by_the_api_is_seen_by_git(engine, repository, tmp_path):
    codecommit = engine.client("codecommit")
    first = codecommit.put_file(
        repositoryName="app", branchName="main", filePath="a/b.txt", fileContent=b"one",
        commitMessage="First", name="Ada", email="ada@example.com",
    )  # fmt: skip
    second = codecommit.create_commit(
        repositoryName="app", branchName="main", parentCommitId=first["commitId"], commitMessage="Second",
        putFiles=[{"filePath": "run.sh", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"}],
        deleteFiles=[{"filePath": "a/b.txt"}],
    )  # fmt: skip
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "work")
    assert [path.name for path in (tmp_path / "work").iterdir() if path.name != ".git"] == ["run.sh"]
    found = codecommit.get_differences(
        repositoryName="app", beforeCommitSpecifier=first["commitId"], afterCommitSpecifier=second["commitId"]
    )["differences"]
    assert [one["changeType"] for one in found] == ["D", "A"]
    with pytest.raises(codecommit.exceptions.ParentCommitIdOutdatedException):
        codecommit.put_file(
            repositoryName="app",
            branchName="main",
            filePath="x",
            fileContent=b"x",
            parentCommitId=first["commitId"],
        )


def test_a_files_history_and_a_triggers_test(engine, repository):
    codecommit = engine.client("codecommit")
    parent, made = {}, []
    for text in (b"one", b"two"):
        commit_id = codecommit.put_file(
            repositoryName="app", branchName="main", filePath="a.txt", fileContent=text, **parent
        )["commitId"]
        parent = {"parentCommitId": commit_id}
        made.append(commit_id)
    history = codecommit.list_file_commit_history(repositoryName="app", filePath="a.txt")["revisionDag"]
    assert [one["commit"]["commitId"] for one in history] == made[::-1]
    topic = engine.client("sns").create_topic(Name="pushes")["TopicArn"]
    triggers = [
        {"name": "told", "destinationArn": topic, "events": ["all"]},
        {"name": "lost", "destinationArn": f"{topic}-not", "events": ["all"]},
    ]
    tested = codecommit.test_repository_triggers(repositoryName="app", triggers=triggers)
    assert tested["successfulExecutions"] == ["told"]
    assert [one["trigger"] for one in tested["failedExecutions"]] == ["lost"]


def test_generated_git_credentials_let_a_user_push_what_their_policy_allows(engine, repository, tmp_path):
    iam = engine.client("iam")
    iam.create_user(UserName="ada")
    made = iam.create_service_specific_credential(UserName="ada", ServiceName="codecommit.amazonaws.com")
    credential = made["ServiceSpecificCredential"]
    login = f"{credential['ServiceUserName']}:{credential['ServicePassword']}"
    url = repository["cloneUrlHttp"].replace("http://", f"http://{login}@")
    refused = git(engine, tmp_path, "clone", url, "work", check=False)
    assert "403" in refused.stderr
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "codecommit:Git*", "Resource": "*"}],
    }
    iam.put_user_policy(UserName="ada", PolicyName="git", PolicyDocument=json.dumps(policy))
    git(engine, tmp_path, "clone", "-q", url, "work")
    git(engine, tmp_path / "work", "checkout", "-qb", "main")
    commit(engine, tmp_path / "work", "a.txt", "one")
    git(engine, tmp_path / "work", "push", "-q", "origin", "main")
    assert engine.client("codecommit").list_branches(repositoryName="app")["branches"] == ["main"]


def test_every_kind_of_push_is_told_once(engine, repository, tmp_path):
    queue = engine.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    events = engine.client("events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.codecommit"]}))
    arn = f"arn:aws:sqs:{engine.region}:{engine.account}:told"
    events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arn, "InputPath": "$.detail"}])
    told = []

    def receive(count):
        def look():
            found = (
                engine.client("sqs")
                .receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
                .get("Messages", [])
            )
            told.extend(json.loads(one["Body"]) for one in found)
            for one in found:
                engine.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            return len(told) >= count

        until(look)
        batch = sorted((one["event"], one["referenceName"]) for one in told)
        told.clear()
        return batch

    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "work")
    work = tmp_path / "work"
    git(engine, work, "checkout", "-qb", "main")
    commit(engine, work, "a.txt", "one")
    branches = [f"b{number}" for number in range(10)]
    for name in branches:
        git(engine, work, "branch", name)
    git(engine, work, "push", "-q", "origin", *branches)
    assert receive(10) == [("referenceCreated", name) for name in branches]
    git(engine, work, "commit", "-q", "--amend", "-m", "Another")
    git(engine, work, "push", "-qf", "origin", "main:b0")
    git(engine, work, "tag", "v1")
    git(engine, work, "push", "-q", "origin", "v1")
    git(engine, work, "push", "-q", "origin", ":b9")
    assert receive(3) == [("referenceCreated", "v1"), ("referenceDeleted", "b9"), ("referenceUpdated", "b0")]


@pytest.mark.slow
def test_a_large_repository_is_pushed_and_cloned(engine, repository, tmp_path):
    lines = []
    for number in range(1000):
        files = "".join(
            f"M 100644 inline d{number % 50}/f{number * 10 + file}.txt\ndata 3\n{file:03}\n"
            for file in range(10)
        )
        message = f"c{number}"
        lines.append(
            f"commit refs/heads/main\ncommitter A <a@b.c> {1700000000 + number} +0000\n"
            f"data {len(message)}\n{message}\n{files}\n"
        )
    source = tmp_path / "source"
    source.mkdir()
    git(engine, source, "init", "-q", "-b", "main")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=source, input="".join(lines), text=True, check=True)
    git(engine, source, "push", "-q", repository["cloneUrlHttp"], "main")
    git(engine, tmp_path, "clone", "-q", repository["cloneUrlHttp"], "work")
    assert git(engine, tmp_path / "work", "rev-list", "--count", "main").stdout.strip() == "1000"
    assert sum(1 for path in (tmp_path / "work").rglob("*.txt")) == 10_000

    engine.client("s3").create_bucket(Bucket=BUCKET)
    configuration = {"BucketName": BUCKET, "Extract": "false", "ObjectKey": "whole.zip"}
    deploy = action("Deploy", "Deploy", "S3", configuration, inputs=["Code"])
    structure = declaration("web", role(engine), ("Source", codecommit_source()), ("Deploy", deploy))
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(engine, "web", first(engine, "web")) == ("Succeeded", [])
    whole = engine.client("s3").get_object(Bucket=BUCKET, Key="whole.zip")["Body"].read()
    assert sum(name.endswith(".txt") for name in zipfile.ZipFile(io.BytesIO(whole)).namelist()) == 10_000
