"""A pipeline from CodeCommit to S3: what a commit becomes, and everything that can be done with an execution."""

import pytest

from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    answer,
    approval,
    codecommit_source,
    declaration,
    ended,
    first,
    outcome,
    put,
    s3_deploy,
    start,
    until,
    waiting_token,
)


def create(engine, delivery, *stages, **members):
    structure = declaration(
        "web", delivery, ("Source", codecommit_source(namespace="Src")), *stages, **members
    )
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    return first(engine, "web")


def deployed(engine, key="site/index.html"):
    return engine.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def test_a_commit_is_deployed_with_its_revision_shown(engine, delivery):
    commit = put(engine, "two")
    id = create(engine, delivery, ("Deploy", s3_deploy(key="#{Src.BranchName}")))
    assert outcome(engine, "web", id) == ("Succeeded", [])

    codepipeline = engine.client("codepipeline")
    execution = ended(engine, "web", id)
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["artifactRevisions"][0]["revisionId"] == commit
    assert deployed(engine, "main/index.html") == "two"
    actions = codepipeline.list_action_executions(pipelineName="web")["actionExecutionDetails"]
    assert [one["actionName"] for one in actions] == ["Deploy", "Source"]
    assert actions[1]["output"]["outputVariables"]["CommitMessage"] == "Say two"
    states = codepipeline.get_pipeline_state(name="web")["stageStates"]
    assert [one["latestExecution"]["status"] for one in states] == ["Succeeded", "Succeeded"]


def test_an_approval_waits_and_tells_who_answered(engine, delivery):
    id = create(engine, delivery, ("Review", approval()), ("Deploy", s3_deploy()))
    answer(engine, "web", "Review", summary="ship it")
    assert outcome(engine, "web", id) == ("Succeeded", [])
    details = engine.client("codepipeline").list_action_executions(pipelineName="web")[
        "actionExecutionDetails"
    ]
    review = next(one for one in details if one["actionName"] == "Approve")
    assert review["updatedBy"].endswith(":root")
    assert review["output"]["executionResult"]["externalExecutionSummary"] == "ship it"


def test_a_rejected_approval_fails_and_a_retry_asks_again(engine, delivery):
    id = create(engine, delivery, ("Review", approval()), ("Deploy", s3_deploy()))
    answer(engine, "web", "Review", "Rejected", "no")
    assert outcome(engine, "web", id) == ("Failed", ["Approval rejected. Comments: no"])
    codepipeline = engine.client("codepipeline")
    codepipeline.retry_stage_execution(
        pipelineName="web", stageName="Review", pipelineExecutionId=id, retryMode="FAILED_ACTIONS"
    )
    answer(engine, "web", "Review")
    assert ended(engine, "web", id)["status"] == "Succeeded"
    state = codepipeline.get_pipeline_state(name="web")["stageStates"][1]
    assert state["retryStageMetadata"] == {
        "manualStageRetryAttempt": 1,
        "latestRetryTrigger": "ManualStageRetry",
    }
    with pytest.raises(codepipeline.exceptions.StageNotRetryableException):
        codepipeline.retry_stage_execution(
            pipelineName="web", stageName="Review", pipelineExecutionId=id, retryMode="FAILED_ACTIONS"
        )


def test_stop_and_wait_lets_the_action_finish_and_abandon_does_not(engine, delivery):
    id = create(engine, delivery, ("Review", approval()), ("Deploy", s3_deploy()))
    waiting_token(engine, "web", "Review")
    codepipeline = engine.client("codepipeline")
    codepipeline.stop_pipeline_execution(pipelineName="web", pipelineExecutionId=id, reason="wait")
    assert (
        codepipeline.get_pipeline_execution(pipelineName="web", pipelineExecutionId=id)["pipelineExecution"][
            "status"
        ]
        == "Stopping"
    )
    with pytest.raises(codepipeline.exceptions.DuplicatedStopRequestException):
        codepipeline.stop_pipeline_execution(pipelineName="web", pipelineExecutionId=id)
    answer(engine, "web", "Review")
    assert ended(engine, "web", id)["status"] == "Stopped"

    second = start(engine, "web")
    waiting_token(engine, "web", "Review", second)
    codepipeline.stop_pipeline_execution(
        pipelineName="web", pipelineExecutionId=second, abandon=True, reason="now"
    )
    assert ended(engine, "web", second)["status"] == "Stopped"
    actions = codepipeline.list_action_executions(pipelineName="web", filter={"pipelineExecutionId": second})
    assert [one["status"] for one in actions["actionExecutionDetails"]] == ["Abandoned", "Succeeded"]
    summaries = codepipeline.list_pipeline_executions(pipelineName="web")["pipelineExecutionSummaries"]
    assert summaries[0]["stopTrigger"] == {"reason": "now"}


def test_a_disabled_transition_holds_until_it_is_enabled(engine, delivery):
    codepipeline = engine.client("codepipeline")
    held = create(engine, delivery, ("Review", approval()), ("Deploy", s3_deploy()))
    codepipeline.disable_stage_transition(
        pipelineName="web", stageName="Deploy", transitionType="Inbound", reason="freeze"
    )
    answer(engine, "web", "Review")

    def inbound():
        return codepipeline.get_pipeline_state(name="web")["stageStates"][2].get("inboundExecution")

    assert until(inbound)["pipelineExecutionId"] == held
    newer = start(engine, "web")
    answer(engine, "web", "Review", id=newer)
    assert ended(engine, "web", held)["status"] == "Superseded"
    codepipeline.enable_stage_transition(pipelineName="web", stageName="Deploy", transitionType="Inbound")
    assert ended(engine, "web", newer)["status"] == "Succeeded"


def test_a_stage_is_rolled_back_to_an_earlier_execution(engine, delivery):
    good = create(engine, delivery, ("Deploy", s3_deploy()), pipelineType="V2")
    assert ended(engine, "web", good)["status"] == "Succeeded"
    put(engine, "two")
    assert ended(engine, "web", start(engine, "web"))["status"] == "Succeeded"
    assert deployed(engine) == "two"
    codepipeline = engine.client("codepipeline")
    id = codepipeline.rollback_stage(pipelineName="web", stageName="Deploy", targetPipelineExecutionId=good)
    back = ended(engine, "web", id["pipelineExecutionId"])
    assert (back["status"], back["executionType"], back["trigger"]["triggerType"]) == (
        "Succeeded",
        "ROLLBACK",
        "ManualRollback",
    )
    assert deployed(engine) == "one"
    with pytest.raises(codepipeline.exceptions.UnableToRollbackStageException):
        codepipeline.rollback_stage(pipelineName="web", stageName="Source", targetPipelineExecutionId=good)


def test_a_failed_stage_rolls_back_by_itself(engine, delivery):
    deploy = {
        "name": "Deploy",
        "actions": [s3_deploy(), approval(runOrder=2)],
        "onFailure": {"result": "ROLLBACK"},
    }
    good = create(engine, delivery, deploy, pipelineType="V2")
    codepipeline = engine.client("codepipeline")

    def approve(id, status):
        def token():
            state = codepipeline.get_pipeline_state(name="web")["stageStates"][1]
            current = state.get("latestExecution", {}).get("pipelineExecutionId") == id
            return current and state["actionStates"][1].get("latestExecution", {}).get("token")

        codepipeline.put_approval_result(
            pipelineName="web", stageName="Deploy", actionName="Approve", token=until(token),
            result={"status": status, "summary": "seen"},
        )  # fmt: skip

    approve(good, "Approved")
    assert ended(engine, "web", good)["status"] == "Succeeded"
    put(engine, "bad")
    bad = start(engine, "web")
    approve(bad, "Rejected")
    assert ended(engine, "web", bad)["status"] == "Failed"
    rollback = codepipeline.list_pipeline_executions(pipelineName="web")["pipelineExecutionSummaries"][0]
    assert rollback["trigger"]["triggerType"] == "AutomatedRollback"
    assert rollback["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": good}
    approve(rollback["pipelineExecutionId"], "Approved")
    assert ended(engine, "web", rollback["pipelineExecutionId"])["status"] == "Succeeded"
    assert deployed(engine) == "one"


def test_a_failed_stage_is_retried_once_by_itself(engine, delivery):
    review = {"name": "Review", "actions": [approval()], "onFailure": {"result": "RETRY"}}
    id = create(engine, delivery, review, pipelineType="V2")
    token = waiting_token(engine, "web", "Review")
    answer(engine, "web", "Review", "Rejected", "first")
    until(lambda: waiting_token(engine, "web", "Review") != token)
    answer(engine, "web", "Review", "Rejected", "second")
    assert ended(engine, "web", id)["status"] == "Failed"
    state = engine.client("codepipeline").get_pipeline_state(name="web")["stageStates"][1]
    assert state["retryStageMetadata"] == {
        "autoStageRetryAttempt": 1,
        "latestRetryTrigger": "AutomatedStageRetry",
    }


def test_pipeline_variables_and_source_overrides(engine, delivery):
    old = engine.client("codecommit").get_branch(repositoryName="app", branchName="main")["branch"][
        "commitId"
    ]
    put(engine, "two")
    variables = [{"name": "where", "defaultValue": "staging"}]
    create(
        engine,
        delivery,
        ("Deploy", s3_deploy(key="#{variables.where}")),
        pipelineType="V2",
        variables=variables,
    )
    id = start(
        engine,
        "web",
        variables=[{"name": "where", "value": "production"}],
        sourceRevisions=[{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": old}],
        clientRequestToken="once",
    )
    assert start(engine, "web", clientRequestToken="once") == id
    execution = ended(engine, "web", id)
    assert execution["variables"] == [{"name": "where", "resolvedValue": "production"}]
    assert deployed(engine, "production/index.html") == "one"


def test_a_condition_that_is_not_met_skips_or_fails_and_can_be_overridden(engine, delivery):
    check = {
        "name": "OnlyDocs",
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": "#{Src.CommitMessage}", "Value": "docs", "Operator": "CONTAINS"},
    }
    deploy = {"name": "Deploy", "actions": [s3_deploy()]}
    skip = deploy | {"name": "Skip", "beforeEntry": {"conditions": [{"result": "SKIP", "rules": [check]}]}}
    fail = deploy | {"beforeEntry": {"conditions": [{"result": "FAIL", "rules": [check]}]}}
    id = create(engine, delivery, skip, fail, pipelineType="V2")
    assert ended(engine, "web", id)["status"] == "Failed"
    codepipeline = engine.client("codepipeline")
    states = codepipeline.get_pipeline_state(name="web")["stageStates"]
    assert [one["latestExecution"]["status"] for one in states] == ["Succeeded", "Skipped", "Failed"]
    rules = codepipeline.list_rule_executions(pipelineName="web")["ruleExecutionDetails"]
    assert {one["status"] for one in rules} == {"Failed"}
    codepipeline.override_stage_condition(
        pipelineName="web", stageName="Deploy", pipelineExecutionId=id, conditionType="BEFORE_ENTRY"
    )
    assert ended(engine, "web", id)["status"] == "Succeeded"
    assert deployed(engine) == "one"


@pytest.mark.parametrize(
    ("stages", "code", "message"),
    [
        ([], "InvalidStructureException", "minimum of 2 stages"),
        (
            [("Deploy", action("Go", "Deploy", "Nomad"))],
            "InvalidActionDeclarationException",
            "Provider: 'Nomad'",
        ),
        (
            [("Deploy", action("Go", "Deploy", "S3", inputs=["Code"]))],
            "InvalidActionDeclarationException",
            "BucketName",
        ),
        ([("A", s3_deploy()), ("A", s3_deploy())], "InvalidStructureException", "unique"),
        (
            [("Deploy", s3_deploy() | {"inputArtifacts": [{"name": "Else"}]})],
            "InvalidStructureException",
            "Else",
        ),
        ([("Deploy", s3_deploy(key="#{Nobody.x}"))], "InvalidActionDeclarationException", "Nobody"),
        (
            [("Deploy", s3_deploy(key="#{Later.x}")), ("Later", s3_deploy(namespace="Later"))],
            "InvalidActionDeclarationException",
            "whose action does not run before it",
        ),
        (
            [("Run", action("Run", "Compute", "Commands", inputs=["Code"], commands=["ls"]))],
            "InvalidStructureException",
            "the action Run (Commands) can be used with pipelineType V2 only",
        ),
    ],
)
def test_a_structure_that_cannot_work_is_refused(engine, delivery, stages, code, message):
    with pytest.raises(engine.client("codepipeline").exceptions.ClientError) as refused:
        create(engine, delivery, *stages)
    assert refused.value.response["Error"]["Code"] == code
    assert message in refused.value.response["Error"]["Message"]
