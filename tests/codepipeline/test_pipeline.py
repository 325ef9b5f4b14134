"""A pipeline from CodeCommit to S3: what a commit becomes."""

from pipelines import BUCKET, codecommit_source, declaration, ended, outcome, put, s3_deploy


def test_a_commit_is_deployed_with_its_revision_shown(engine, delivery):
    codepipeline = engine.client("codepipeline")
    commit = put(engine, "two")
    codepipeline.create_pipeline(
        pipeline=declaration(
            "web",
            delivery,
            ("Source", codecommit_source(namespace="Src")),
            ("Deploy", s3_deploy(key="#{Src.BranchName}")),
        )
    )
    id = codepipeline.list_pipeline_executions(pipelineName="web")["pipelineExecutionSummaries"][0][
        "pipelineExecutionId"
    ]
    execution = ended(engine, "web", id)

    assert outcome(engine, "web", id) == ("Succeeded", [])
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["artifactRevisions"][0]["revisionId"] == commit
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="main/index.html")["Body"].read() == b"two"
    actions = codepipeline.list_action_executions(pipelineName="web")["actionExecutionDetails"]
    assert [one["actionName"] for one in actions] == ["Deploy", "Source"]
    assert actions[1]["output"]["outputVariables"]["CommitMessage"] == "Say two"
    states = codepipeline.get_pipeline_state(name="web")["stageStates"]
    assert [one["latestExecution"]["status"] for one in states] == ["Succeeded", "Succeeded"]
