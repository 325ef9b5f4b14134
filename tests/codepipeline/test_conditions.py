"""Conditions of stages: every kind of rule, every result."""

from datetime import datetime

import pytest
from botocore.exceptions import ClientError

from homeport.engine.services.codepipeline.actions.contract import ActionFailed
from homeport.engine.services.codepipeline.rules.deployment_window import window
from homeport.engine.services.codepipeline.rules.variable_check import compare
from tests.codepipeline.pipelines import (
    BUCKET,
    answer,
    approval,
    codecommit_source,
    declaration,
    ended,
    first,
    put,
    s3_deploy,
    start,
)
from tests.waiting import until


def rule(provider, name="Rule", **configuration):
    kind = {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "ruleTypeId": kind, "configuration": configuration}


def condition(result, *rules):
    return {"conditions": [{"result": result, "rules": list(rules)}]}


def create(engine, role, *stages):
    source = ("Source", codecommit_source(namespace="Src"))
    structure = declaration("web", role, source, *stages, pipelineType="V2")
    engine.client("codepipeline").create_pipeline(pipeline=structure)
    return first(engine, "web")


def deploy(**conditions):
    return {"name": "Deploy", "actions": [s3_deploy()], **conditions}


def deployed(engine):
    return engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read().decode()


def statuses(engine):
    states = engine.client("codepipeline").get_pipeline_state(name="web")["stageStates"]
    return [one["latestExecution"]["status"] for one in states if "latestExecution" in one]


def rules(engine, id):
    found = engine.client("codepipeline").list_rule_executions(
        pipelineName="web", filter={"pipelineExecutionId": id}
    )["ruleExecutionDetails"]
    return {one["ruleName"]: (one["status"], one["output"]["executionResult"]) for one in found}


@pytest.fixture
def alarm(engine):
    cloudwatch = engine.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="Web", MetricName="Errors", Statistic="Sum", Period=3600,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip

    def is_in(state):
        cloudwatch.set_alarm_state(AlarmName="errors", StateValue=state, StateReason="a test")

    is_in("OK")
    return is_in


def test_an_alarm_while_it_is_watched_rolls_the_stage_back(engine, delivery, alarm):
    watch = rule("CloudWatchAlarm", AlarmName="errors", WaitTime="#{Src.CommitMessage}")
    put(engine, "0", message="0")
    good = create(engine, delivery, deploy(onSuccess=condition("ROLLBACK", watch)))
    assert ended(engine, "web", good)["status"] == "Succeeded"

    put(engine, "two", message="60")
    bad = start(engine, "web")
    until(lambda: rules(engine, bad).get("Rule", [""])[0] == "InProgress")
    assert deployed(engine) == "two", "the deployment is watched for as many minutes as WaitTime says"
    alarm("ALARM")
    assert ended(engine, "web", bad)["status"] == "Failed"
    status, result = rules(engine, bad)["Rule"]
    assert status == "Failed" and "The alarm 'errors' is in state ALARM" in result["errorDetails"]["message"]
    newest = engine.client("codepipeline").list_pipeline_executions(pipelineName="web")[
        "pipelineExecutionSummaries"
    ][0]
    assert newest["trigger"]["triggerType"] == "AutomatedRollback"
    assert newest["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": good}
    until(lambda: deployed(engine) == "0")


def test_a_window_that_is_open_lets_in_and_one_that_is_closed_waits(engine, delivery):
    always, never = rule("DeploymentWindow", "Open", Cron="* * * ? * *"), "* * 9-17 ? * MON-FRI 2199"
    closed = rule("DeploymentWindow", "Closed", Cron=never, TimeZone="Europe/Berlin")
    id = create(engine, delivery, deploy(beforeEntry=condition("FAIL", always, closed)))
    until(lambda: rules(engine, id).get("Open", [""])[0] == "Succeeded")
    assert rules(engine, id)["Closed"][0] == "InProgress"
    engine.client("codepipeline").override_stage_condition(
        pipelineName="web", stageName="Deploy", pipelineExecutionId=id, conditionType="BEFORE_ENTRY"
    )
    assert ended(engine, "web", id)["status"] == "Succeeded"


def test_rules_of_an_execution_that_is_stopped_are_abandoned(engine, delivery):
    closed = rule("DeploymentWindow", Cron="* * * ? * * 2199")
    id = create(engine, delivery, deploy(beforeEntry=condition("FAIL", closed)))
    until(lambda: rules(engine, id).get("Rule", [""])[0] == "InProgress")
    engine.client("codepipeline").stop_pipeline_execution(pipelineName="web", pipelineExecutionId=id)
    assert ended(engine, "web", id)["status"] == "Stopped"
    assert rules(engine, id)["Rule"][0] == "Abandoned"


@pytest.mark.parametrize(
    ("expression", "moment", "is_open"),
    [
        ("* * 9-17 ? * MON-FRI", "2026-11-25T09:00", True),
        ("* * 9-17 ? * MON-FRI *", "2026-11-25T18:00", False),
        ("* * 9-17 ? * MON-FRI *", "2026-11-28T12:00", False),
        ("* 0-29 * ? * *", "2026-11-25T12:30", False),
        ("* * * L * ?", "2026-11-30T00:00", True),
        ("* * * ? * 6L", "2026-11-27T00:00", True),
        ("* * * ? * TUE#2", "2026-11-17T00:00", False),
        ("* * * ? DEC * 2026-2027", "2026-11-25T00:00", False),
    ],
)
def test_windows(expression, moment, is_open):
    assert window(expression).names(datetime.fromisoformat(moment)) is is_open


@pytest.mark.parametrize(
    "expression", ["", "* * * *", "0 * * ? * *", "* * 25 ? * *", "* * * * * *", "rate(1 day)"]
)
def test_what_is_no_window_is_named(expression):
    with pytest.raises(ActionFailed, match="is not a cron expression"):
        window(expression)


def test_a_stage_that_fails_is_skipped_when_a_rule_of_its_failure_passes(engine, delivery):
    forgiven = rule(
        "VariableCheck", Variable="#{Src.CommitMessage}", Value="^Say [a-z]+$", Operator="MATCHES"
    )
    review = {"name": "Review", "actions": [approval()], "onFailure": condition("SKIP", forgiven)}
    id = create(engine, delivery, review, deploy())
    answer(engine, "web", "Review", "Rejected")
    assert ended(engine, "web", id)["status"] == "Succeeded"
    assert statuses(engine) == ["Succeeded", "Skipped", "Succeeded"]


def test_a_stage_that_fails_stays_failed_when_no_rule_of_its_failure_passes(engine, delivery):
    never = rule("VariableCheck", Variable="#{Src.BranchName}", Value="main", Operator="NE")
    review = {"name": "Review", "actions": [approval()], "onFailure": condition("SKIP", never)}
    id = create(engine, delivery, review, deploy())
    answer(engine, "web", "Review", "Rejected")
    assert ended(engine, "web", id)["status"] == "Failed"
    assert statuses(engine) == ["Succeeded", "Failed"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            {"beforeEntry": condition("SKIP", rule("CloudWatchAlarm", AlarmName="a"))},
            "result SKIP can be used",
        ),
        ({"beforeEntry": condition("ROLLBACK", rule("LambdaInvoke", FunctionName="f"))}, "result ROLLBACK"),
        ({"onFailure": condition("RETRY", rule("CloudWatchAlarm", AlarmName="a"))}, "result RETRY cannot"),
        ({"onSuccess": condition("SKIP", rule("CloudWatchAlarm", AlarmName="a"))}, "result SKIP cannot"),
        ({"onSuccess": condition("FAIL", rule("CloudWatchAlarm"))}, "required configuration 'AlarmName'"),
        ({"onSuccess": condition("FAIL", rule("Oracle"))}, "provider: 'Oracle'"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(engine, delivery, condition, message):
    with pytest.raises(ClientError, match=message) as refused:
        create(engine, delivery, deploy(**condition))
    assert refused.value.response["Error"]["Code"] == "InvalidStageDeclarationException"


def test_a_condition_that_skipped_its_stage_cannot_be_overridden(engine, delivery):
    never = rule("VariableCheck", Variable="#{Src.BranchName}", Value="main", Operator="NE")
    review = {"name": "Review", "actions": [approval()], "beforeEntry": condition("SKIP", never)}
    id = create(engine, delivery, review, deploy())
    assert ended(engine, "web", id)["status"] == "Succeeded"
    assert statuses(engine) == ["Succeeded", "Skipped", "Succeeded"]
    with pytest.raises(ClientError, match="ConditionNotOverridable"):
        engine.client("codepipeline").override_stage_condition(
            pipelineName="web", pipelineExecutionId=id, stageName="Review", conditionType="BEFORE_ENTRY"
        )


def test_a_stage_that_succeeded_fails_by_a_rule_of_its_success(engine, delivery):
    nobody = rule("LambdaInvoke", FunctionName="nobody")
    id = create(engine, delivery, deploy(onSuccess=condition("FAIL", nobody)))
    assert ended(engine, "web", id)["status"] == "Failed"
    assert deployed(engine) == "one" and statuses(engine) == ["Succeeded", "Failed"]
    assert "nobody" in rules(engine, id)["Rule"][1]["errorDetails"]["message"]


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [("EQ", "main", True), ("NE", "main", False), ("CONTAINS", "ai", True), ("MATCHES", "m.*n", True),
     ("MATCHES", "^a", False)],
)  # fmt: skip
def test_a_variable_is_compared(operator, value, holds):
    assert compare(operator, "main", value) is holds
