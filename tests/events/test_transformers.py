"""A target gets what its Input, InputPath or InputTransformer makes of the event."""

from typing import Any

import pytest

from homeport.engine.services.events.transformers import InvalidTransformer, check, target_input

EVENT = {
    "id": "1",
    "source": "aws.s3",
    "detail": {"bucket": {"name": 'my "b"'}, "size": 7, "keys": ["a", "b"]},
}
RULE = "arn:aws:events:eu-west-1:123456789012:rule/nightly"


def given_input(target: dict[str, Any]) -> str:
    check(target)
    return target_input(target, EVENT, RULE, "2026-01-01T00:00:00Z")


def test_the_whole_event_by_default() -> None:
    assert given_input({}).startswith('{"id":"1","source":"aws.s3"')


def test_a_constant_or_a_part() -> None:
    assert given_input({"Input": '{"a":1}'}) == '{"a":1}'
    assert given_input({"InputPath": "$.detail.keys"}) == '["a","b"]'
    assert given_input({"InputPath": "$.detail.keys[1]"}) == '"b"'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"size is <size>"', '"size is 7"'),
        ('{"size": <size>, "name": <name>}', '{"size": 7, "name": "my \\"b\\""}'),
        ('{"text": "<name> has <size>"}', '{"text": "my \\"b\\" has 7"}'),
        ('{"gone": <gone>}', '{"gone": ""}'),
        ('{"keys": <keys>}', '{"keys": ["a","b"]}'),
        ("<aws.events.rule-name> fired", "nightly fired"),
        ('{"rule": <aws.events.rule-arn>}', f'{{"rule": "{RULE}"}}'),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    paths = {"size": "$.detail.size", "name": "$.detail.bucket.name", "gone": "$.x", "keys": "$.detail.keys"}
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    assert given_input(target) == expected


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(InvalidTransformer, match="invalid placeholder size"):
        check({"Id": "t", "InputTransformer": {"InputTemplate": "<size>"}})
    with pytest.raises(InvalidTransformer, match="JSON path"):
        check({"InputPath": "detail"})
    with pytest.raises(InvalidTransformer, match="Only one of"):
        check({"Input": "1", "InputPath": "$"})
