"""Lifecycle rules expire what S3's documentation says."""

from typing import Any

from homeport.engine.services.s3.lifecycle import DAY, Candidate, abort_after, expiration, expired_by


def rule(**parts: Any) -> list[dict[str, Any]]:
    return [{"ID": "r", "Status": "Enabled", "Filter": {}, **parts}]


def version(**parts: Any) -> Candidate:
    fields: dict[str, Any] = {"key": "logs/a", "size": 100, "tags": {"team": "x"}, "modified": 0.0}
    return Candidate(**{**fields, **parts})


def test_days_round_up_to_midnight() -> None:
    rules = rule(Expiration={"Days": 3})
    assert expired_by(rules, version(modified=10.0), 4 * DAY - 1) is None
    assert expired_by(rules, version(modified=10.0), 4 * DAY) == "r"
    assert expiration(rules, version(modified=10.0)) == (4 * DAY, "r")


def test_a_filter_takes_prefix_tags_and_sizes() -> None:
    for chosen, taken in [
        ({"Prefix": "logs/"}, True),
        ({"Prefix": "tmp/"}, False),
        ({"Tag": {"Key": "team", "Value": "x"}}, True),
        ({"Tag": {"Key": "team", "Value": "y"}}, False),
        ({"And": {"Prefix": "logs/", "Tags": [{"Key": "team", "Value": "x"}]}}, True),
        ({"ObjectSizeGreaterThan": 100}, False),
        ({"ObjectSizeLessThan": 101}, True),
    ]:
        found = expired_by(rule(Filter=chosen, Expiration={"Days": 1}), version(), 10 * DAY)
        assert (found is not None) is taken, chosen


def test_a_disabled_rule_does_nothing() -> None:
    assert expired_by(rule(Status="Disabled", Expiration={"Days": 1}), version(), 10 * DAY) is None


def test_noncurrent_versions_expire_but_the_newest_of_them_stay() -> None:
    rules = rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 2})
    old = version(current=False, noncurrent_since=0.0, newer_noncurrent=2)
    assert expired_by(rules, old, DAY) == "r"
    assert expired_by(rules, version(current=False, newer_noncurrent=1), DAY) is None
    assert expired_by(rules, version(), 100 * DAY) is None


def test_a_lonely_delete_marker_is_removed() -> None:
    rules = rule(Expiration={"ExpiredObjectDeleteMarker": True})
    assert expired_by(rules, version(delete_marker=True, only_marker=True), 0) == "r"
    assert expired_by(rules, version(delete_marker=True), 0) is None


def test_unfinished_uploads_are_aborted() -> None:
    rules = rule(Filter={"Prefix": "logs/"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})
    assert abort_after(rules, "logs/a", 0.0, 7 * DAY)
    assert not abort_after(rules, "logs/a", 0.0, 6 * DAY)
    assert not abort_after(rules, "tmp/a", 0.0, 9 * DAY)
