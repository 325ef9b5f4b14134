"""Tasks: run once, seen through to their end, with the reason of it."""

import ipaddress
import json
import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from tests.containers.conftest import IMAGE
from tests.ecs.conftest import TRUST, Ecs, logged, written
from tests.waiting import until


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
    containers = [
        ecs.until_stopped(arn)["containers"][0] for arn in [ecs.run(definition), ecs.run(definition)]
    ]
    assert [container["exitCode"] for container in containers] == [137, 137]
    told = {container.get("reason") for container in containers}  # a loaded Docker misses one in twenty
    assert "OutOfMemoryError: Container killed due to memory usage" in told


def test_a_missing_secret_fails_the_start(ecs: Ecs):
    role = "arn:aws:iam::123456789012:role/execution"
    ecs.engine.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=TRUST)
    definition = ecs.define(
        "true", secrets=[{"name": "KEY", "valueFrom": "/no/such"}], task={"executionRoleArn": role}
    )
    task = ecs.until_stopped(ecs.run(definition))
    assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")


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


def test_a_task_reads_its_metadata_and_its_credentials_until_it_stops(ecs: Ecs):
    iam = ecs.engine.client("iam")
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    own = "$AWS_CONTAINER_CREDENTIALS_FULL_URI"
    script = f"wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task; echo; wget -qO- {own}; echo; echo {own}"
    arn = ecs.run(ecs.define(f"sleep 1; {script}; sleep 60", task={"taskRoleArn": role}))
    runtime = ecs.until_running(arn)["containers"][0]["runtimeId"]

    def logged():
        shown = subprocess.run(["docker", "logs", runtime], capture_output=True, text=True, check=True)
        return (shown.stdout + shown.stderr).splitlines()

    *told, address = until(logged, lambda lines: len(lines) == 3)
    metadata, credentials = map(json.loads, told)
    assert metadata["TaskARN"] == arn
    assert metadata["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert metadata["Containers"][0]["DockerId"] == runtime
    [network] = metadata["Containers"][0]["Networks"]
    assert network["NetworkMode"] == "awsvpc" and network["PrivateDNSName"].endswith(".ec2.internal")
    subnet = ipaddress.ip_network(network["IPv4SubnetCIDRBlock"])
    assert ipaddress.ip_address(network["IPv4Addresses"][0]) in subnet
    assert network["SubnetGatewayIpv4Address"].endswith(f"/{subnet.prefixlen}")
    assert credentials["RoleArn"] == role and credentials["Token"]
    ecs.api.stop_task(task=arn)
    ecs.until_stopped(arn)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{ecs.engine.url}{urlsplit(address).path}")


def test_every_line_of_a_burst_at_the_end_is_in_the_log(ecs: Ecs):
    # five hundred lines of 3 KB are more than a request takes, and the line of 300 KB is more than an event does
    zeros = "head -c %d /dev/zero | tr '\\0' x"
    long = f"line=$({zeros % 3000}); for i in $(seq 500); do echo $line; done; {zeros % 300_000}; echo"
    arn = ecs.run(ecs.define(f"{long}; seq 5000", **logged(ecs.engine)))
    ecs.until_stopped(arn)
    said = written(ecs.engine, arn)
    assert [len(message) for message in said[:502]] == [3000] * 500 + [
        256 * 1024 - 26,
        300_000 - 256 * 1024 + 26,
    ]
    assert said[502:] == [str(number) for number in range(1, 5001)]


def test_a_client_token_runs_a_task_once(ecs: Ecs):
    definition = ecs.define("true")
    arn = ecs.run(definition, clientToken="once")
    assert ecs.run(definition, clientToken="once") == arn
    with pytest.raises(ecs.api.exceptions.ConflictException) as error:
        ecs.run(definition, clientToken="once", group="other")
    assert error.value.response["resourceIds"] == [arn]


def test_awslogs_go_on_over_a_restart_without_loss(own_engine):
    own_engine.start()
    own_engine.client("ecs").create_cluster()
    ecs = Ecs(own_engine)
    arn = ecs.run(ecs.define("for i in $(seq 1 60); do echo $i; sleep 0.05; done", **logged(own_engine)))
    ecs.until_running(arn)
    own_engine.restart()
    ecs = Ecs(own_engine)
    ecs.until_stopped(arn)
    assert written(own_engine, arn) == [str(number) for number in range(1, 61)]


def test_without_docker_everybody_is_told_what_to_do(own_engine, tmp_path):
    own_engine.start(DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    own_engine.client("ecs").create_cluster()
    ecs = Ecs(own_engine)
    definition = ecs.define("true")
    with pytest.raises(ecs.api.exceptions.ServerException, match="Docker does not answer"):
        ecs.run(definition)
    ecs.serve(definition)
    events = until(ecs.events, lambda events: events)
    assert "was unable to place a task. Reason: Docker does not answer" in events[0]
    assert "Install and start the Docker Engine" in events[0]
    own_engine.restart()  # with the Docker that the other tests have
    until(lambda: Ecs(own_engine).tasks(status="STOPPED"), lambda tasks: tasks)


def test_a_program_that_is_not_there_fails_the_start(ecs: Ecs):
    definition = ecs.define("", command=["no-such-program"], **logged(ecs.engine))
    task = ecs.until_stopped(ecs.run(definition))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert "no-such-program" in task["stoppedReason"]
    assert task["containers"][0]["lastStatus"] == "STOPPED"
