"""Tasks: run once, seen through to their end, with the reason of it."""

from tests.containers.conftest import IMAGE
from tests.ecs.conftest import Ecs, until


def test_a_task_runs_and_ends_with_its_exit_code(ecs: Ecs):
    task = ecs.until_stopped(ecs.run(ecs.define("echo bye; exit 3")))
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 3
    assert task["createdAt"] <= task["pullStartedAt"] <= task["stoppingAt"] <= task["stoppedAt"]


def test_a_task_is_stopped_politely(ecs: Ecs):
    arn = ecs.run(ecs.define("trap 'exit 0' TERM; while true; do sleep 0.05; done"))
    task = ecs.until_running(arn)
    assert task["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    ecs.api.stop_task(task=arn, reason="enough")
    task = ecs.until_stopped(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 0


def test_the_containers_of_a_task_share_localhost_and_wait_for_each_other(ecs: Ecs):
    server = {"name": "server", "image": IMAGE, "essential": False, "stopTimeout": 2}
    server["command"] = ["sh", "-c", "sleep 0.5; touch /tmp/ready; echo hi | nc -l -p 7777; sleep 30"]
    server["healthCheck"] = {
        "command": ["CMD-SHELL", "cat /tmp/ready"],
        "interval": 5,
        "startPeriod": 0,
    }
    client = {"name": "client", "image": IMAGE}
    client["command"] = ["sh", "-c", 'test "$(nc 127.0.0.1 7777)" = hi']
    client["dependsOn"] = [{"containerName": "server", "condition": "HEALTHY"}]
    task = ecs.until_stopped(ecs.run(ecs.define_containers([server, client])))
    codes = {container["name"]: container["exitCode"] for container in task["containers"]}
    assert codes["client"] == 0


def test_an_image_that_is_not_there_fails_the_start_with_its_name(ecs: Ecs):
    definition = ecs.define("true", image="127.0.0.1:1/nothing:v9")
    task = ecs.until_stopped(ecs.run(definition))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest has been retried")
    assert "127.0.0.1:1/nothing:v9" in task["stoppedReason"]


def test_out_of_memory_is_told(ecs: Ecs):
    definition = ecs.define("x=0123456789abcdef; while true; do x=$x$x; done", memory=16)
    task = ecs.until_stopped(ecs.run(definition))
    assert task["containers"][0]["exitCode"] == 137
    assert task["containers"][0]["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_a_missing_secret_fails_the_start(ecs: Ecs):
    role = "arn:aws:iam::123456789012:role/execution"
    ecs.engine.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=TRUST)
    definition = ecs.define(
        "true", secrets=[{"name": "KEY", "valueFrom": "/no/such"}], task={"executionRoleArn": role}
    )
    task = ecs.until_stopped(ecs.run(definition))
    assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")


TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
)


def test_a_killed_engine_adopts_what_runs(own_engine):
    own_engine.start()
    own_engine.client("ecs").create_cluster()
    ecs = Ecs(own_engine)
    long = ecs.run(ecs.define("sleep 60"))
    short = ecs.run(ecs.define("sleep 1.5; exit 9"))
    runtime = ecs.until_running(long)["containers"][0]["runtimeId"]
    ecs.until_running(short)
    own_engine.restart()
    ecs = Ecs(own_engine)
    task = ecs.task(long)
    assert (task["lastStatus"], task["containers"][0]["runtimeId"]) == ("RUNNING", runtime)
    assert ecs.until_stopped(short)["containers"][0]["exitCode"] == 9
    ecs.api.stop_task(task=long)
    until(
        lambda: ecs.task(long),
        lambda task: task["lastStatus"] == "DEPROVISIONING" or task["lastStatus"] == "STOPPED",
    )
