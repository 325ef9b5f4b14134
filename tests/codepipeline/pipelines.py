"""Pipelines for the tests: a declaration in a few words, and waiting for what it does."""

import io
import json
import zipfile

from tests.waiting import until

BUCKET = "artifacts"


def action(name, category, provider, configuration=None, inputs=(), outputs=(), **members):
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration or {},
        "inputArtifacts": [{"name": one} for one in inputs],
        "outputArtifacts": [{"name": one} for one in outputs],
        **members,
    }


def codecommit_source(**members):
    configuration = {"RepositoryName": "app", "BranchName": "main", "PollForSourceChanges": "false"}
    return action("Source", "Source", "CodeCommit", configuration, outputs=["Code"], **members)


def s3_deploy(name="Deploy", key="site", **members):
    configuration = {"BucketName": BUCKET, "Extract": "true", "ObjectKey": key}
    return action(name, "Deploy", "S3", configuration, inputs=["Code"], **members)


def approval(name="Approve", **members):
    return action(name, "Approval", "Manual", **members)


def declaration(name, role, *stages, **members):
    return {
        "name": name,
        "roleArn": role,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [
            stage if isinstance(stage, dict) else {"name": stage[0], "actions": list(stage[1:])}
            for stage in stages
        ],
        **members,
    }


def role(engine, *services, name="pipeline", statements=None):
    """A role that the services may assume and that may do everything, or what the statements say."""
    iam = engine.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": f"{one}.amazonaws.com"}, "Action": "sts:AssumeRole"}
            for one in services or ("codepipeline",)
        ],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = statements or [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    return arn


def put(engine, text, path="index.html", message=None):
    """Commit one file on main and return the commit id."""
    codecommit = engine.client("codecommit")
    tips = codecommit.list_branches(repositoryName="app")["branches"]
    parent = {}
    if "main" in tips:
        head = codecommit.get_branch(repositoryName="app", branchName="main")["branch"]["commitId"]
        parent = {"parentCommitId": head}
    return codecommit.put_file(
        repositoryName="app",
        branchName="main",
        filePath=path,
        fileContent=text.encode(),
        commitMessage=message or f"Say {text}",
        **parent,
    )["commitId"]


def ended(engine, name, id, seconds=30):
    """The execution, once it has ended."""
    codepipeline = engine.client("codepipeline")

    def look():
        execution = codepipeline.get_pipeline_execution(pipelineName=name, pipelineExecutionId=id)[
            "pipelineExecution"
        ]
        return execution if execution["status"] not in ("InProgress", "Stopping") else None

    return until(look, seconds=seconds)


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


def outcome(engine, name, id, seconds=30):
    """How an execution ended, and what its failed actions said."""
    execution = ended(engine, name, id, seconds)
    actions = engine.client("codepipeline").list_action_executions(
        pipelineName=name, filter={"pipelineExecutionId": id}
    )["actionExecutionDetails"]
    results = [one["output"]["executionResult"] for one in actions if one["status"] == "Failed"]
    return execution["status"], [result["errorDetails"]["message"] for result in results]


def start(engine, name, **members):
    """Start an execution and return its id."""
    return engine.client("codepipeline").start_pipeline_execution(name=name, **members)["pipelineExecutionId"]


def first(engine, name):
    """The execution that creating the pipeline started."""
    listed = engine.client("codepipeline").list_pipeline_executions(pipelineName=name)
    return listed["pipelineExecutionSummaries"][-1]["pipelineExecutionId"]


def waiting_token(engine, name, stage, id=None):
    """The token of the approval that the stage waits for."""

    def look():
        for state in engine.client("codepipeline").get_pipeline_state(name=name)["stageStates"]:
            latest = state.get("latestExecution", {}).get("pipelineExecutionId")
            if state["stageName"] == stage and (id is None or latest == id):
                return state["actionStates"][0].get("latestExecution", {}).get("token")
        return None

    return until(look)


def answer(engine, name, stage, status="Approved", summary="fine", id=None):
    """Approve or reject what the stage waits for."""
    engine.client("codepipeline").put_approval_result(
        pipelineName=name,
        stageName=stage,
        actionName="Approve",
        token=waiting_token(engine, name, stage, id),
        result={"status": status, "summary": summary},
    )
