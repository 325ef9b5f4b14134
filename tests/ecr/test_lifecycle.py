"""Lifecycle policies: what they say, and that it is done."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.ecr.lifecycle import DAY, Candidate, InvalidPolicy, Rule, expire, parse_policy
from tests.ecr.oci import Registry

NOW = 1_000 * DAY


def rule(
    priority: int, status: str, *patterns: str, count: int = 1, type: str = "imageCountMoreThan"
) -> Rule:
    return Rule(priority, status, patterns, type, count)


def candidate(digest: str, *tags: str, age: float = 0, pulled: float | None = None) -> Candidate:
    return Candidate(digest, tags, NOW - age * DAY, None if pulled is None else NOW - pulled * DAY)


def expired(rules: list[Rule], *images: Candidate) -> dict[str, int]:
    return {expiry.image.digest: expiry.priority for expiry in expire(rules, images, NOW)}


def test_the_newest_stay() -> None:
    images = [candidate(f"d{age}", age=age) for age in range(5)]
    assert expired([rule(1, "any", count=2)], *images) == {"d2": 1, "d3": 1, "d4": 1}


def test_the_aged_go() -> None:
    images = [candidate("new", age=13), candidate("old", age=15), candidate("tagged", "v1", age=15)]
    assert expired([rule(1, "untagged", count=14, type="sinceImagePushed")], *images) == {"old": 1}


def test_the_unused_go_unless_they_were_pulled() -> None:
    images = [
        candidate("used", age=90, pulled=1),
        candidate("idle", age=90, pulled=60),
        candidate("never", age=90),
    ]
    assert expired([rule(1, "any", count=30, type="sinceImagePulled")], *images) == {"idle": 1, "never": 1}


def test_every_pattern_needs_a_tag_of_the_image() -> None:
    images = [candidate("both", "alpha", "beta"), candidate("one", "alpha")]
    assert expired([rule(1, "tagged", "alpha", "be*", count=0)], *images) == {"both": 1}


def test_an_image_belongs_to_the_first_rule_that_selects_it() -> None:
    """The documentation's example: rule 2 counts the image that rule 1 owns, but cannot expire it."""
    images = [
        candidate("a", "prod-1", age=3),
        candidate("b", "prod-2", "beta", age=2),
        candidate("c", "x", age=1),
    ]
    rules = [rule(1, "tagged", "prod*", count=1), rule(2, "any", count=1)]
    assert expired(rules, *images) == {"a": 1}
    assert expired(
        [*rules[:1], rule(2, "any", count=0 + 1)], candidate("c", "x", age=2), candidate("d", "y")
    ) == {"c": 2}


def test_an_image_of_an_index_stays() -> None:
    image = Candidate("child", (), NOW - 90 * DAY, None, held=True)
    assert expired([rule(1, "untagged", count=1, type="sinceImagePushed")], image) == {}


tags = st.lists(st.sampled_from(["prod-1", "prod-2", "dev-1", "latest"]), max_size=3, unique=True)
images = st.lists(st.tuples(tags, st.integers(0, 100)), max_size=12).map(
    lambda all: [candidate(str(number), *tags, age=age) for number, (tags, age) in enumerate(all)]
)


@given(images, st.integers(1, 5))
def test_a_count_leaves_exactly_that_many(all: list[Candidate], count: int) -> None:
    assert len(all) - len(expired([rule(1, "any", count=count)], *all)) == min(len(all), count)


@given(images, st.integers(1, 5), st.integers(1, 5))
def test_a_later_rule_never_takes_what_an_earlier_one_owns(all: list[Candidate], a: int, b: int) -> None:
    first = rule(1, "tagged", "prod-*", count=a)
    for digest, priority in expired([first, rule(2, "any", count=b)], *all).items():
        image = next(image for image in all if image.digest == digest)
        assert priority == (1 if first.selects(image.tags) else 2)


def entry(priority: int = 1, **selection: Any) -> dict[str, Any]:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1} | selection
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ([], "at least one rule"),
        ([entry(tagStatus="some")], "tagStatus must be one of tagged, untagged, any"),
        ([entry(tagStatus="tagged")], "needs either tagPatternList or tagPrefixList"),
        ([entry(tagPatternList=["a"])], "goes with tagStatus 'tagged' alone"),
        ([entry(tagStatus="tagged", tagPatternList=["*a*b*c*d*"])], "more than 4 wildcards"),
        ([entry(countNumber=0)], "countNumber must be a number from 1"),
        ([entry(countType="sinceImagePushed")], "countUnit must be 'days'"),
        ([entry(countUnit="days")], "countUnit does not go with"),
        ([entry(1), entry(1, tagStatus="untagged")], "each rulePriority must be given once"),
        ([entry(1), entry(2, tagStatus="untagged")], "must have the highest rulePriority"),
        ([entry(1, tagStatus="untagged"), entry(2, tagStatus="untagged")], "only one rule"),
        (
            [
                entry(1, tagStatus="tagged", tagPrefixList=["a", "b"]),
                entry(2, tagStatus="tagged", tagPrefixList=["b", "a"]),
            ],
            "each list of tag patterns or prefixes must be given once",
        ),
        (
            [entry(n, tagStatus="tagged", tagPrefixList=[f"v{n}"]) for n in range(1, 52)],
            "at most 50 can be given",
        ),
        ([entry() | {"action": {"type": "transition"}}], "must be"),
        ([entry() | {"extra": 1}], "unknown members extra"),
    ],
)
def test_a_policy_that_is_none_says_why(rules: list[Any], reason: str) -> None:
    with pytest.raises(InvalidPolicy, match=reason):
        parse_policy(json.dumps({"rules": rules}))


KEEP_ONE = json.dumps(
    {"rules": [entry() | {"description": "keep the newest image and expire all of the others"}]}
)


def test_a_preview_says_which_and_why_and_changes_nothing(ecr: Any, registry: Registry) -> None:
    old, new = registry.push_image("app", "v1", b"one"), registry.push_image("app", "v2", b"two")
    started = ecr.start_lifecycle_policy_preview(repositoryName="app", lifecyclePolicyText=KEEP_ONE)
    assert started["status"] == "IN_PROGRESS"
    preview = ecr.get_lifecycle_policy_preview(repositoryName="app")
    assert preview["status"] == "COMPLETE"
    (result,) = preview["previewResults"]
    assert (result["imageDigest"], result["imageTags"], result["appliedRulePriority"]) == (old, ["v1"], 1)
    assert preview["summary"]["expiringImageTotalCount"] == 1
    listed = {image["imageDigest"] for image in ecr.list_images(repositoryName="app")["imageIds"]}
    assert listed == {old, new}


def test_a_policy_expires_images_and_those_pushed_later(ecr: Any, registry: Registry) -> None:
    for tag in ("v1", "v2"):
        registry.push_image("app", tag, tag.encode())
    ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=KEEP_ONE)
    assert eventually_tags(ecr, ["v2"])
    registry.push_image("app", "v3", b"three")
    assert eventually_tags(ecr, ["v3"])
    assert ecr.get_lifecycle_policy(repositoryName="app")["lastEvaluatedAt"].timestamp() > 0


def test_an_invalid_policy_is_refused(ecr: Any, registry: Registry) -> None:
    with pytest.raises(ecr.exceptions.InvalidParameterException, match="validation failure: 'rules' must be"):
        ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText='{"rules": []}' + " " * 100)
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.get_lifecycle_policy(repositoryName="app")


def eventually_tags(ecr: Any, tags: list[str]) -> bool:
    deadline = time.monotonic() + 5
    while [image.get("imageTag") for image in ecr.list_images(repositoryName="app")["imageIds"]] != tags:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return True
