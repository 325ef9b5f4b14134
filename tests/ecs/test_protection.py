"""Tasks that are not to be stopped by scale-in.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html"""

import json

from homeport.engine.services.ecs.deployments.rolling import Bounds, Plan, View, plan
from tests.ecs.conftest import TRUST, Ecs, logged, written
from tests.waiting import until

PROTECT = """
address=${ECS_AGENT_URI#http://}; host=${address%%/*}; body='{"ProtectionEnabled":true,"ExpiresInMinutes":60}'
head="PUT /${address#*/}/task-protection/v1/state HTTP/1.0\r\nHost: $host\r\nContent-Length: ${#body}\r\n\r\n"
printf "$head$body" | nc ${host%:*} ${host#*:} | tail -n 1; echo
wget -qO- $ECS_AGENT_URI/task-protection/v1/state; echo
exec sleep 600
"""


def test_scale_in_and_deployments_pass_over_protected_tasks() -> None:
    tasks = [View(name, "old", True, True, False, at, name == "c") for at, name in enumerate("abc")]
    assert plan(1, Bounds(1, 2), "old", tasks, rolling=False) == Plan(0, ["b", "a"])
    new = [View(f"new{number}", "new", True, True, False, 9.0) for number in range(3)]
    assert plan(3, Bounds(3, 6), "new", [*new, *tasks], rolling=True) == Plan(0, ["a", "b"])
    failed = [View("a", "old", True, False, True, 0.0, protected=True)]
    assert plan(1, Bounds(1, 2), "old", failed, rolling=True).stop == ["a"]


def test_a_protected_task_outlives_scale_in_until_it_is_not_protected(ecs: Ecs) -> None:
    ecs.serve(ecs.define("exec sleep 600"), count=2)
    ecs.until_stable()
    kept, other = (task["taskArn"] for task in ecs.tasks())
    alone = ecs.run(ecs.define("exec sleep 600", "alone"))
    answer = ecs.api.update_task_protection(
        cluster="default", tasks=[kept, alone, "nothing"], protectionEnabled=True, expiresInMinutes=60
    )
    assert [task["protectionEnabled"] for task in answer["protectedTasks"]] == [True]
    assert [each["reason"] for each in answer["failures"]] == ["TASK_NOT_VALID", "MISSING"]
    ecs.api.update_service(service="web", desiredCount=0)
    until(lambda: ecs.task(other), lambda task: task["lastStatus"] == "STOPPED")
    assert ecs.task(kept)["desiredStatus"] == "RUNNING"
    assert any("The number of protected tasks are more than the desired" in text for text in ecs.events())
    shown = ecs.api.get_task_protection(cluster="default", tasks=[kept])["protectedTasks"][0]
    assert shown["expirationDate"] > ecs.task(kept)["startedAt"]
    ecs.api.update_task_protection(cluster="default", tasks=[kept], protectionEnabled=False)
    ecs.until_stopped(kept)


def test_a_task_protects_itself(ecs: Ecs) -> None:
    iam = ecs.engine.client("iam")
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "ecs:*TaskProtection", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="app", PolicyName="protect", PolicyDocument=policy)
    members = logged(ecs.engine)
    members["task"] |= {"taskRoleArn": role}
    ecs.serve(ecs.define(PROTECT, **members))
    ecs.until_stable()
    arn = ecs.tasks()[0]["taskArn"]
    answers = until(lambda: written(ecs.engine, arn), lambda lines: len(lines) == 2)
    put, got = (json.loads(answer)["protection"] for answer in answers)
    assert put == got and put["ExpirationDate"].endswith("Z")
    assert (put["ProtectionEnabled"], put["TaskArn"]) == (True, arn)
