"""The engine is killed at the failpoints of an execution: it ends as an uninterrupted one, nothing runs twice."""

import json

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
    role,
    s3_deploy,
    start,
    until,
)

POINTS = [
    f"codepipeline.action.{point}"
    for point in ("revision.done", "artifact.done", "deploy.before", "deploy.done", "end.committed")
]
"""One of each step. `python -m bench.kills points` kills at all."""


def test_killed_at_a_failpoint_an_execution_ends_as_an_uninterrupted_one(own_engine):
    own_engine.start()
    own_engine.client("s3").create_bucket(Bucket=BUCKET)
    own_engine.client("s3").put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    own_engine.client("codecommit").create_repository(repositoryName="app")
    put(own_engine, "0")
    structure = declaration("web", role(own_engine), ("Source", codecommit_source()), ("Deploy", s3_deploy()))
    own_engine.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(own_engine, "web", first(own_engine, "web")) == ("Succeeded", [])

    for number, point in enumerate(POINTS, 1):
        put(own_engine, str(number))
        own_engine.stop()
        own_engine.start(HOMEPORT_FAIL_AT=point)
        id = start(own_engine, "web")
        own_engine.wait_dead()
        left = own_engine.data / "codepipeline" / "left", own_engine.data / "codecommit" / "left.git"
        for folder in left:
            folder.mkdir(parents=True)
        own_engine.start()
        assert not any(folder.exists() for folder in left), "what a kill leaves goes at the next start"
        assert outcome(own_engine, "web", id) == ("Succeeded", []), point
        actions = own_engine.client("codepipeline").list_action_executions(
            pipelineName="web", filter={"pipelineExecutionId": id}
        )["actionExecutionDetails"]
        assert [(one["actionName"], one["status"]) for one in actions] == [
            ("Deploy", "Succeeded"),
            ("Source", "Succeeded"),
        ], point
        body = own_engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read()
        assert body == str(number).encode(), point


def test_killed_after_it_registered_a_revision_a_deployment_uses_that_one(own_engine):
    own_engine.start()
    own_engine.client("s3").create_bucket(Bucket=BUCKET)
    own_engine.client("codecommit").create_repository(repositoryName="app")
    put(own_engine, json.dumps([{"name": "app", "imageUri": "image:two"}]), "imagedefinitions.json")
    ecs = own_engine.client("ecs")
    ecs.create_cluster()
    ecs.register_task_definition(
        family="web", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        containerDefinitions=[{"name": "app", "image": "image:one"}],
    )  # fmt: skip
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    ecs.create_service(
        serviceName="web", taskDefinition="web", desiredCount=0, launchType="FARGATE",
        networkConfiguration=network,
    )  # fmt: skip
    arn = role(own_engine)
    own_engine.stop()
    # the first step of this name is the source action's
    own_engine.start(HOMEPORT_FAIL_AT="codepipeline.action.revision.done:2")
    deploy = action("Deploy", "Deploy", "ECS", {"ClusterName": "default", "ServiceName": "web"}, ["Code"])
    structure = declaration("web", arn, ("Source", codecommit_source()), ("Deploy", deploy))
    own_engine.client("codepipeline").create_pipeline(pipeline=structure)
    own_engine.wait_dead()
    own_engine.start()
    assert outcome(own_engine, "web", first(own_engine, "web")) == ("Succeeded", [])
    assert len(ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]) == 2
    assert len(ecs.list_service_deployments(service="web")["serviceDeployments"]) == 2


def test_an_approval_survives_a_kill(own_engine):
    own_engine.start()
    own_engine.client("s3").create_bucket(Bucket=BUCKET)
    own_engine.client("codecommit").create_repository(repositoryName="app")
    put(own_engine, "one")
    structure = declaration(
        "web",
        role(own_engine),
        ("Source", codecommit_source()),
        ("Review", approval()),
        ("Deploy", s3_deploy()),
    )
    own_engine.client("codepipeline").create_pipeline(pipeline=structure)
    id = first(own_engine, "web")
    until(
        lambda: (
            len(
                own_engine.client("codepipeline").list_action_executions(pipelineName="web")[
                    "actionExecutionDetails"
                ]
            )
            == 2
        )
    )
    own_engine.restart()
    answer(own_engine, "web", "Review")
    own_engine.restart()
    assert ended(own_engine, "web", id)["status"] == "Succeeded"
