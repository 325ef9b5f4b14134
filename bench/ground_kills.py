"""An engine that is killed while stacks are deployed and objects uploaded: at every failpoint of a stack's creation,
update, rollback and deletion, of what the ECS service in it takes, and of uploads; and at random moments. Each time
every acknowledged write must be there, every stack end as an uninterrupted one does, and nothing half-made be left: no
row, no blob, no upload, no container.

python -m bench.ground_kills points|moments [how many] [first]: of each operation's failpoints those from `first` on
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import delivery
from bench.failpoints import Kills, watched
from bench.uploads import Uploads
from botocore.exceptions import BotoCoreError, ClientError
from tests.cloudformation.test_kills import ONE_OF_EACH, things
from tests.cloudformation.test_stacks import BASICS, IAM, values

from homeport.engine.config import Config
from homeport.pytest_plugin import RunningEngine

SECONDS = 120.0
"""What one operation on a stack may take, with kills and starts of the engine in it."""
KINDS = ("cloudformation.", "ecs.")
UPLOADS = ("s3.put-object.stored", "s3.upload-part.stored")
STACK = "app"
_SERVICE = f"""
  Cluster: {{Type: AWS::ECS::Cluster}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      Cpu: "256"
      Memory: "512"
      ContainerDefinitions:
        - Name: app
          Image: {delivery.IMAGE}
          Command: [sh, -c, "trap 'exit 0' TERM; sleep 1000000 & wait"]
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Definition
      DesiredCount: 1
      LaunchType: FARGATE
      NetworkConfiguration: {{AwsvpcConfiguration: {{Subnets: [subnet-1]}}}}
Outputs:"""
TEMPLATE = BASICS.replace("\nOutputs:", _SERVICE)
BROKEN = TEMPLATE.replace(
    "Outputs:", "  Bad: {Type: AWS::S3::Bucket, DependsOn: Setting, Properties: {BucketName: A_B}}\nOutputs:"
).replace("Value: !GetAtt Group.Arn", "Value: other")
CYCLE = {
    "create": "CREATE_COMPLETE",
    "update": "UPDATE_COMPLETE",
    "rollback": "UPDATE_ROLLBACK_COMPLETE",
    "delete": "DELETE_COMPLETE",
}
"""The operations on the stack, one after the other, and how each ends."""


def main(what: str = "moments", count: int = 1000, first: int = 0) -> dict[str, Any]:
    """Kill and return the numbers. Raises AssertionError when something is lost, left, or ends otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        engine = delivery.Engine(Path(folder) / "data")
        engine.start()
        try:
            trial = _Trial(engine)
            return trial.points(count, first) if what == "points" else trial.moments(count)
        finally:
            if not engine.alive:
                engine.start()
            engine.reset()
            engine.stop()


_ELSEWHERE = ("s3_", "cloudwatch_", "ecs_usage", "sqlite_")
"""Tables that the uploads' check counts, or that grow with time."""


class _Trial:
    """One stack that is made, updated, rolled back and deleted again and again while clients upload."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine
        self._uploads = Uploads(engine)
        self._stack = self._token = ""
        self._present = self._rows = self._growth = Counter[str]()
        self._seconds: dict[str, float] = {}
        self._points: dict[str, list[str]] = {}
        for cycle in range(2):
            if cycle:  # the first makes what stays: images, service-linked roles
                self._present, self._rows = Counter(things(engine)), self._count_rows()
            for operation in CYCLE:
                self._measure(operation)
        self._growth = self._count_rows() - self._rows
        self._rows = self._count_rows()

    def moments(self, count: int) -> dict[str, Any]:
        """Kill at random moments, the operations in turn."""
        for number in range(count):
            operation = list(CYCLE)[number % len(CYCLE)]
            seconds = random.uniform(0.0, self._seconds[operation])
            how = f"{operation}, killed after {seconds:.3f} s"
            self._uploads.begin()
            self._begin(operation)
            time.sleep(seconds)
            self._engine.kill()
            self._uploads.end()
            self._engine.start()
            self._finish(operation, how)
            _tell(f"{number + 1}. {how}: as it should be")
        return {
            "kills": count,
            "in": Counter(list(CYCLE)[n % len(CYCLE)] for n in range(count)),
            **self._numbers(),
        }

    def points(self, count: int, first: int) -> dict[str, Any]:
        """Kill at each failpoint, several in one operation; at most `count`, or a few more."""
        kills = {name: Kills(self._engine, points[first:]) for name, points in self._points.items()}
        kills["create"].pending.extend(UPLOADS)
        while any(one.pending for one in kills.values()) and _killed(kills)["all"] < count:
            for operation in CYCLE:
                self._killed_at(operation, kills[operation])
        return {
            "failpoints": sum(map(len, self._points.values())) + len(UPLOADS),
            "killed there": _killed(kills),
            "not reached": {name: one.missed for name, one in kills.items()},
            **self._numbers(),
        }

    def _killed_at(self, operation: str, kills: Kills) -> None:
        if not kills.pending:
            self._begin(operation)
            self._finish(operation, operation)
            return
        kills.start()
        self._begin(operation)
        self._uploads.begin()
        while kills.died(lambda: self._has_ended(operation), SECONDS):
            self._uploads.end()
            kills.start()
            self._begin(operation, again=True)
            self._uploads.begin()
        how = f"{operation}, killed at {', '.join(kills.finish()) or 'none'}"
        self._uploads.end()
        self._finish(operation, how)
        _tell(f"{how}: as it should be")

    def _measure(self, operation: str) -> None:
        began = time.monotonic()
        with watched(self._engine.data / "homeport.db", KINDS) as points:
            self._begin(operation)
            delivery.until(lambda: self._has_ended(operation), SECONDS)
            self._seconds[operation] = time.monotonic() - began
            self._finish(operation, "uninterrupted")
        self._points[operation] = points

    def _begin(self, operation: str, again: bool = False) -> None:
        """Ask for the operation; `again`, when the engine died before it had accepted it."""
        client = self._engine.client("cloudformation")
        template = {"TemplateBody": BROKEN if operation == "rollback" else TEMPLATE, **IAM}
        try:
            if again and self._statuses():
                return
            self._token = secrets.token_hex(8)
            given = {"StackName": STACK, "ClientRequestToken": self._token}
            if operation == "create":
                self._stack = client.create_stack(**given, **template)["StackId"]
            elif operation == "delete":
                client.delete_stack(**given)
            else:
                client.update_stack(**given, **template, Parameters=values(GroupName="/app/two"))
        except BotoCoreError:
            self._engine.wait_dead()

    def _has_ended(self, operation: str) -> bool:
        """Whether the operation has ended as it should. Raises AssertionError when it ended otherwise."""
        try:
            statuses = self._statuses()
        except BotoCoreError:  # it has just died
            return False
        last = statuses[0] if statuses else "IN_PROGRESS"
        assert last == CYCLE[operation] or last.endswith("IN_PROGRESS"), (
            f"{operation}: {last}, {self._reasons()}"
        )
        return last == CYCLE[operation]

    def _reasons(self) -> list[str]:
        events = self._engine.client("cloudformation").describe_stack_events(StackName=self._stack)[
            "StackEvents"
        ]
        return [
            f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}"
            for one in events
            if "ResourceStatusReason" in one and one.get("ClientRequestToken") == self._token
        ]

    def _statuses(self) -> list[str]:
        """The statuses that the operation has given the stack, the last first; none, when it was not accepted."""
        client = self._engine.client("cloudformation")
        try:
            events = client.describe_stack_events(StackName=self._stack or STACK)["StackEvents"]
        except ClientError:  # there is no such stack
            return []
        return [
            one["ResourceStatus"]
            for one in events
            if one["PhysicalResourceId"] == one["StackId"] and one.get("ClientRequestToken") == self._token
        ]

    def _finish(self, operation: str, how: str) -> None:
        """Wait for the end of the operation, and check what there is."""
        delivery.until(lambda: self._has_ended(operation), SECONDS)
        there = operation != "delete"
        expected = self._present + Counter(ONE_OF_EACH) if there else self._present
        if self._present:
            found = Counter(things(self._engine))
            assert found == expected, f"{how}: {found}, not {expected}"
        containers = ["running"] if there else []
        _settled(self._containers, containers, how)
        if operation == "create":
            self._stack = self._engine.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0][
                "StackId"
            ]
        elif operation == "delete":
            self._stack = ""
        self._uploads.check(how)
        if not there and self._growth:
            _settled(lambda: self._count_rows() - self._rows, self._growth, how)
            self._rows = self._count_rows()

    def _containers(self) -> list[str]:
        """What runs or lies in Docker of this engine."""
        label = f"label=homeport.engine={Config(self._engine.data).id}"
        shown = ["docker", "ps", "--all", "--filter", label, "--format", "{{.State}}"]
        return subprocess.run(shown, check=True, capture_output=True, text=True).stdout.split()

    def _count_rows(self) -> Counter[str]:
        rows = sqlite3.connect(f"file:{self._engine.data / 'homeport.db'}?mode=ro", uri=True)
        tables = [row[0] for row in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: rows.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
        rows.close()
        return Counter({name: count for name, count in found.items() if not name.startswith(_ELSEWHERE)})

    def _numbers(self) -> dict[str, Any]:
        return {
            "uninterrupted, seconds": {name: round(value, 1) for name, value in self._seconds.items()},
            "writes acknowledged": self._uploads.acknowledged,
            "writes cut off": self._uploads.cut_off,
            "rows that a cycle leaves": self._growth,
        }


def _killed(kills: dict[str, Kills]) -> dict[str, int]:
    counts = {name: len(one.killed) for name, one in kills.items()}
    return {**counts, "all": sum(counts.values())}


def _settled(look: Callable[[], Any], expected: Any, how: str, seconds: float = 20.0) -> None:
    """Wait until what is seen is what is expected. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while (found := look()) != expected:
        assert time.monotonic() < deadline, f"{how}: {found}, not {expected}"
        time.sleep(0.1)


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before all kills were made"))  # and clean up
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="moments")
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("first", nargs="?", type=int, default=0)
    sys.stdout.write(json.dumps(main(**vars(parser.parse_args())), indent=2) + "\n")
