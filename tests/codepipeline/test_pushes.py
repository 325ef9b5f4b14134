"""Pushes in quick succession, each of which starts the pipeline: every commit has one execution, which ends as the
execution mode says. `python -m bench.pushes` is the long form, with builds."""

import json
import subprocess

import pytest

from tests.codepipeline.pipelines import BUCKET, codecommit_source, declaration, first, role, s3_deploy
from tests.waiting import until

PUSHES = 10


class WorkingCopy:
    """A clone, pushed from with generated git credentials."""

    def __init__(self, engine, folder):
        self.folder = folder
        iam = engine.client("iam")
        iam.create_user(UserName="ada")
        allowed = {"Effect": "Allow", "Action": "codecommit:Git*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName="ada", PolicyName="git", PolicyDocument=policy)
        made = iam.create_service_specific_credential(UserName="ada", ServiceName="codecommit.amazonaws.com")[
            "ServiceSpecificCredential"
        ]
        login = f"{made['ServiceUserName']}:{made['ServicePassword']}@"
        found = engine.client("codecommit").get_repository(repositoryName="app")["repositoryMetadata"]
        url = found["cloneUrlHttp"].replace("://", f"://{login}")
        subprocess.run(["git", "clone", "--quiet", url, folder], check=True, capture_output=True)

    def git(self, *arguments):
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def push(self, text):
        (self.folder / "index.html").write_text(text)
        self.git("commit", "--quiet", "--all", "--message", text)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")


def start_on_push(engine, role_arn):
    """A rule that starts the pipeline with the commit of each push, as AWS's console makes it."""
    pattern = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": ["main"]},
    }
    override = '{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": <commit>}'
    target = {
        "Id": "pipeline",
        "Arn": f"arn:aws:codepipeline:{engine.region}:{engine.account}:web",
        "RoleArn": role_arn,
        "InputTransformer": {
            "InputPathsMap": {"commit": "$.detail.commitId"},
            "InputTemplate": f'{{"sourceRevisions": [{override}]}}',
        },
    }
    events = engine.client("events")
    events.put_rule(Name="push", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="push", Targets=[target])


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED", "PARALLEL"])
def test_every_push_has_one_execution(engine, delivery, tmp_path, mode):
    structure = declaration(
        "web", delivery, ("Source", codecommit_source()), ("Deploy", s3_deploy()),
        pipelineType="V2", executionMode=mode,
    )  # fmt: skip
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    created = first(engine, "web")
    start_on_push(engine, role(engine, "events", name="starter"))
    copy = WorkingCopy(engine, tmp_path / "work")
    commits = [copy.push(str(number)) for number in range(PUSHES)]

    def all_ended():
        found = engine.client("codepipeline").list_pipeline_executions(pipelineName="web")[
            "pipelineExecutionSummaries"
        ]
        over = all(one["status"] not in ("InProgress", "Stopping") for one in found)
        return [one for one in found if one["pipelineExecutionId"] != created] if over else None

    found = until(lambda: (ended := all_ended()) and len(ended) == PUSHES and ended)[::-1]
    revisions = [one["sourceRevisions"][0]["revisionId"] for one in found if one["sourceRevisions"]]
    if mode == "SUPERSEDED":
        assert {one["status"] for one in found} <= {"Succeeded", "Superseded"}
        assert found[-1]["status"] == "Succeeded"
        assert [one for one in commits if one in revisions] == revisions, "in order, and none twice"
    else:
        assert {one["status"] for one in found} == {"Succeeded"}
        assert revisions == commits
    if mode != "PARALLEL":
        body = engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read()
        assert body == str(PUSHES - 1).encode()
