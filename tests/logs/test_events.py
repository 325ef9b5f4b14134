"""Log events, through boto3, the aws cli and a running engine."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


def now() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def logs(engine: RunningEngine) -> Any:
    client = engine.client("logs")
    client.create_log_group(logGroupName="app")
    client.create_log_stream(logGroupName="app", logStreamName="web")
    return client


def put(logs: Any, *messages: str, stream: str = "web", at: int | None = None) -> None:
    events = [{"timestamp": (at or now()), "message": message} for message in messages]
    logs.put_log_events(logGroupName="app", logStreamName=stream, logEvents=events)


def test_events_come_back_in_pages_and_nothing_twice(logs: Any) -> None:
    base = now() - 60_000
    for number in range(25):
        put(logs, f"line {number}", at=base + number)
    lines: list[str] = []
    token = None
    while True:
        more = {"nextToken": token} if token else {"startFromHead": True}
        page = logs.get_log_events(logGroupName="app", logStreamName="web", limit=10, **more)
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
        lines += [event["message"] for event in page["events"]]
    assert lines == [f"line {number}" for number in range(25)]
    put(logs, "late", at=base + 100)
    late = logs.get_log_events(logGroupName="app", logStreamName="web", nextToken=token)
    assert [event["message"] for event in late["events"]] == ["late"]
    newest = logs.get_log_events(logGroupName="app", logStreamName="web", limit=2)
    assert [event["message"] for event in newest["events"]] == ["line 24", "late"]
    before = logs.get_log_events(
        logGroupName="app", logStreamName="web", limit=2, nextToken=newest["nextBackwardToken"]
    )
    assert [event["message"] for event in before["events"]] == ["line 22", "line 23"]


def test_streams_are_filtered_together_by_time(logs: Any) -> None:
    logs.create_log_stream(logGroupName="app", logStreamName="worker")
    base = now() - 60_000
    for number in range(10):
        put(
            logs,
            f"{'ERROR' if number % 3 == 0 else 'INFO'} {number}",
            stream=("web", "worker")[number % 2],
            at=base + number,
        )
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="app", filterPattern="ERROR", PaginationConfig={"PageSize": 1}
    )
    found = [event for page in pages for event in page["events"]]
    assert [event["message"] for event in found] == ["ERROR 0", "ERROR 3", "ERROR 6", "ERROR 9"]
    assert {event["logStreamName"] for event in found} == {"web", "worker"}
    assert len({event["eventId"] for event in found}) == 4
    only = logs.filter_log_events(
        logGroupName="app", logStreamNames=["web"], startTime=base + 2, endTime=base + 6
    )
    assert [event["message"] for event in only["events"]] == ["INFO 2", "INFO 4", "ERROR 6"]


def test_what_is_wrong_is_refused(logs: Any) -> None:
    with pytest.raises(ClientError, match="chronological order"):
        logs.put_log_events(
            logGroupName="app",
            logStreamName="web",
            logEvents=[{"timestamp": now(), "message": "b"}, {"timestamp": now() - 5000, "message": "a"}],
        )
    with pytest.raises(ClientError, match="log stream does not exist"):
        put(logs, "x", stream="none")
    with pytest.raises(ClientError, match="log group does not exist"):
        logs.get_log_events(logGroupName="none", logStreamName="web")
    with pytest.raises(ClientError, match="Invalid filter pattern"):
        logs.filter_log_events(logGroupName="app", filterPattern="{ $.a }")
    answer = logs.put_log_events(
        logGroupName="app",
        logStreamName="web",
        logEvents=[{"timestamp": now() - 20 * 86_400_000, "message": "old"}],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}


def test_groups_and_streams_are_listed_and_tagged(logs: Any) -> None:
    for number in range(60):
        logs.create_log_group(logGroupName=f"many/{number:02d}", tags={"n": str(number)})
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="many/")
    groups = [group for page in pages for group in page["logGroups"]]
    assert len(groups) == 60
    assert logs.list_tags_for_resource(resourceArn=groups[7]["logGroupArn"])["tags"] == {"n": "7"}
    put(logs, "hello")
    (stream,) = logs.describe_log_streams(logGroupName="app", orderBy="LastEventTime")["logStreams"]
    assert stream["logStreamName"] == "web" and abs(stream["lastEventTimestamp"] - now()) < 5000
    with pytest.raises(ClientError) as error:
        logs.create_log_group(logGroupName="app")
    assert error.value.response["Error"]["Code"] == "ResourceAlreadyExistsException"


def test_retention_deletes_from_disk(logs: Any, engine: RunningEngine) -> None:
    put(logs, "long gone", at=now() - 3 * 86_400_000)
    files = engine.data / "logs"
    assert any("long gone" in file.read_text() for file in files.rglob("*.log"))
    logs.put_retention_policy(logGroupName="app", retentionInDays=1)
    assert logs.filter_log_events(logGroupName="app")["events"] == []
    deadline = time.monotonic() + 5
    while list(files.rglob("*.log")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(files.rglob("*.log"))
    put(logs, "still here")
    assert [event["message"] for event in logs.filter_log_events(logGroupName="app")["events"]] == [
        "still here"
    ]


def test_a_follower_that_polls_sees_each_line_once(logs: Any, engine: RunningEngine) -> None:
    """As `aws logs tail --follow` does: ask from the newest time seen on, leave out the ids seen."""
    seen: dict[str, str] = {}
    start = now() - 60_000
    for number in range(5):
        put(logs, f"line {number}", f"line {number}+")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="app", startTime=start)
        for event in (event for page in pages for event in page["events"]):
            seen.setdefault(event["eventId"], event["message"])
            start = max(start, event["timestamp"])
    assert list(seen.values()) == [f"line {number}{end}" for number in range(5) for end in ("", "+")]
    shown = engine.aws("logs", "filter-log-events", "--log-group-name", "app", "--query", "events[].message")
    assert shown.stdout.count("line") == 10


def test_a_live_tail_tells_of_new_events(logs: Any, engine: RunningEngine) -> None:
    put(logs, "before")
    group = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    tail = engine.client("logs", config=Config(inject_host_prefix=False))
    answer = tail.start_live_tail(logGroupIdentifiers=[group], logEventFilterPattern="ERROR")
    stream = iter(answer["responseStream"])
    assert next(stream)["sessionStart"]["logEventFilterPattern"] == "ERROR"
    logs.create_log_stream(logGroupName="app", logStreamName="later")
    put(logs, "ERROR one", "fine")
    put(logs, "ERROR two", stream="later")
    heard: list[str] = []
    while len(heard) < 2:
        results = next(stream)["sessionUpdate"]["sessionResults"]
        heard += [f"{each['logStreamName']}: {each['message']}" for each in results]
    assert sorted(heard) == ["later: ERROR two", "web: ERROR one"]
    answer["responseStream"].close()


def test_no_line_is_lost_or_doubled_by_a_kill(own_engine: RunningEngine) -> None:
    own_engine.start()
    logs = own_engine.client("logs")
    logs.create_log_group(logGroupName="app")
    logs.create_log_stream(logGroupName="app", logStreamName="web")
    acknowledged = []
    for number in range(60):
        if number % 20 == 19:
            # A batch that the dead engine wrote, but did not record.
            own_engine.kill()
            (file,) = (own_engine.data / "logs").rglob("*.log")
            with file.open("a") as out:
                out.write('[1,1,"never acknow')
            own_engine.start()
        put(logs, f"line {number}")
        acknowledged.append(f"line {number}")
    found = logs.get_log_events(logGroupName="app", logStreamName="web", startFromHead=True)["events"]
    assert [event["message"] for event in found] == acknowledged
