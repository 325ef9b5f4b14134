"""ExecuteCommand: a shell in a container, over Session Manager's data channel."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from homeport.session import messages
from homeport.session.messages import CLOSED, DATA, INPUT, OUTPUT, Malformed, Message
from tests.ecs.conftest import TRUST, Ecs


@given(
    st.sampled_from([INPUT, OUTPUT]), st.integers(0, 2**40), st.binary(max_size=2000), st.sampled_from([1, 3])
)
def test_messages_survive_the_wire(kind, sequence, payload, payload_type):
    message = Message(kind, sequence, payload, payload_type, "0f0e0d0c-0b0a-0908-0706-050403020100")
    assert messages.decode(messages.encode(message)) == message


def test_damaged_messages_are_told():
    whole = messages.encode(Message(INPUT, 0, b"hello", DATA))
    with pytest.raises(Malformed):
        messages.decode(whole[:-1])
    with pytest.raises(Malformed):
        messages.decode(b"short")


def with_role(ecs: Ecs) -> dict[str, str]:
    iam = ecs.engine.client("iam")
    return {"taskRoleArn": iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]}


def test_a_command_is_run_interactively(ecs: Ecs):
    arn = ecs.run(ecs.define("exec sleep 60", task=with_role(ecs)), enableExecuteCommand=True)
    task = ecs.until_running(arn)
    assert task["containers"][0]["managedAgents"][0]["lastStatus"] == "RUNNING"
    answer = ecs.api.execute_command(
        task=arn, command="sh -c 'read name; echo hello $name'", interactive=True
    )
    session = answer["session"]
    with connect(session["streamUrl"]) as channel:
        channel.send(messages.opening(session["tokenValue"]))
        channel.send(messages.size(40, 120, 0))
        channel.send(messages.encode(Message(INPUT, 1, b"you\n", DATA)))
        received = [messages.decode(data) for data in channel]
    shown = b"".join(message.payload for message in received if message.type == OUTPUT)
    assert b"hello you" in shown
    assert received[-1].type == CLOSED
    with connect(session["streamUrl"]) as again, pytest.raises(ConnectionClosed):
        again.send(messages.opening(session["tokenValue"]))
        again.recv()


def test_a_session_needs_its_token_and_a_task_that_allows_it(ecs: Ecs):
    definition = ecs.define("exec sleep 60", task=with_role(ecs))
    allowed = ecs.run(definition, enableExecuteCommand=True)
    plain = ecs.run(definition)
    ecs.until_running(allowed)
    session = ecs.api.execute_command(task=allowed, command="id", interactive=True)["session"]
    with connect(session["streamUrl"]) as channel, pytest.raises(ConnectionClosed):
        channel.send(messages.opening("wrong"))
        channel.recv()
    ecs.until_running(plain)
    with pytest.raises(ecs.api.exceptions.InvalidParameterException, match="execute command was not enabled"):
        ecs.api.execute_command(task=plain, command="id", interactive=True)
    with pytest.raises(ecs.api.exceptions.InvalidParameterException, match="Interactive is the only mode"):
        ecs.api.execute_command(task=allowed, command="id", interactive=False)
    for start in (ecs.run, ecs.serve):
        with pytest.raises(ecs.api.exceptions.InvalidParameterException, match="a valid taskRoleArn is not"):
            start(ecs.define("exec sleep 60"), enableExecuteCommand=True)


def test_homeport_exec_runs_a_command_in_a_service(ecs: Ecs):
    ecs.serve(ecs.define("exec sleep 60", task=with_role(ecs)), enableExecuteCommand=True)
    ecs.until_stable()
    homeport = [sys.executable, "-c", "from homeport.cli.main import main; main()"]
    place = ["exec", "default/web", "--data", str(ecs.engine.data)]
    command = [*homeport, *place, "--", "sh", "-c", "read word; echo got $word"]
    done = subprocess.run(command, input="this\n", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "got this" in done.stdout
