"""Lifecycle policies: which images expire, and by which rule. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

DAY = 86400.0
COUNT, PUSHED, PULLED = "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled"
MOST_WILDCARDS = 4
MOST_RULES = 50


class InvalidPolicy(Exception):
    """Why a text is not a lifecycle policy."""


class Rule(NamedTuple):
    """One rule: which images it looks at, and from what on they expire."""

    priority: int
    tag_status: str
    patterns: tuple[str, ...]
    count_type: str
    number: int

    def selects(self, tags: Sequence[str]) -> bool:
        """Whether an image with these tags meets the rule's tagging requirements; every pattern needs a tag."""
        if self.tag_status == "untagged":
            return not tags
        if self.tag_status == "any":
            return True
        return bool(tags) and all(any(_matches(tag, each) for tag in tags) for each in self.patterns)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a policy looks at of an image."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: float
    pulled_at: float | None
    held: bool = False
    """Listed by an index: it stays as long as that does."""


class Expiry(NamedTuple):
    """An image that expires, and the priority of the rule that says so."""

    image: Candidate
    priority: int


def expire(rules: Sequence[Rule], images: Sequence[Candidate], now: float) -> list[Expiry]:
    """The images that the rules expire, oldest first.

    An image belongs to the first rule whose tagging requirements it meets, and only that rule can expire it;
    later rules still count it.
    """
    owner: dict[str, int] = {}
    expired: list[Expiry] = []
    for rule in sorted(rules):
        selected = [image for image in images if not image.held and rule.selects(image.tags)]
        for image in selected:
            owner.setdefault(image.digest, rule.priority)
        for image in _due(rule, selected, now):
            if owner[image.digest] == rule.priority:
                expired.append(Expiry(image, rule.priority))
    return sorted(expired, key=lambda expiry: (expiry.image.pushed_at, expiry.image.digest))


def _due(rule: Rule, images: list[Candidate], now: float) -> list[Candidate]:
    if rule.count_type == COUNT:
        newest_first = sorted(images, key=lambda image: (-image.pushed_at, image.digest))
        return newest_first[rule.number :]
    since = now - rule.number * DAY
    if rule.count_type == PUSHED:
        return [image for image in images if image.pushed_at < since]
    return [image for image in images if (image.pulled_at or image.pushed_at) < since]


def _matches(tag: str, pattern: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), tag) is not None


def parse_policy(text: str) -> list[Rule]:
    """The rules of a policy document. Raises InvalidPolicy."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidPolicy(f"it is not JSON: {error}") from None
    entries = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InvalidPolicy("'rules' must be a list with at least one rule")
    rules = [_rule(entry, f"rules[{index}]") for index, entry in enumerate(entries)]
    _check_together(rules)
    return rules


def _rule(entry: Any, where: str) -> Rule:
    if not isinstance(entry, dict):
        raise InvalidPolicy(f"{where} must be an object")
    _only(entry, where, "rulePriority", "description", "selection", "action")
    selection = _object(entry, "selection", where)
    _only(
        selection,
        f"{where}.selection",
        *("tagStatus", "tagPatternList", "tagPrefixList", "countType", "countUnit", "countNumber"),
    )
    if _object(entry, "action", where) != {"type": "expire"}:
        raise InvalidPolicy(f'{where}.action must be {{"type": "expire"}}: homeport archives no images')
    where_selection = f"{where}.selection"
    return Rule(
        priority=_number(entry, "rulePriority", where),
        tag_status=_one_of(selection, "tagStatus", where_selection, "tagged", "untagged", "any"),
        patterns=_patterns(selection, where_selection),
        count_type=_count_type(selection, where_selection),
        number=_number(selection, "countNumber", where_selection),
    )


def _patterns(selection: dict[str, Any], where: str) -> tuple[str, ...]:
    lists = {key: selection[key] for key in ("tagPatternList", "tagPrefixList") if selection.get(key)}
    if selection["tagStatus"] != "tagged":
        if lists:
            raise InvalidPolicy(f"{where}: {', '.join(lists)} goes with tagStatus 'tagged' alone")
        return ()
    if len(lists) != 1:
        raise InvalidPolicy(f"{where}: tagStatus 'tagged' needs either tagPatternList or tagPrefixList")
    ((key, patterns),) = lists.items()
    if not isinstance(patterns, list) or not all(isinstance(each, str) and each for each in patterns):
        raise InvalidPolicy(f"{where}.{key} must be a list of strings")
    if key == "tagPrefixList":
        return tuple(f"{prefix}*" for prefix in patterns)
    for pattern in patterns:
        if pattern.count("*") > MOST_WILDCARDS:
            raise InvalidPolicy(f"{where}.{key}: '{pattern}' has more than {MOST_WILDCARDS} wildcards")
    return tuple(patterns)


def _count_type(selection: dict[str, Any], where: str) -> str:
    count_type = _one_of(selection, "countType", where, COUNT, PUSHED, PULLED)
    unit = selection.get("countUnit")
    if count_type == COUNT and unit is not None:
        raise InvalidPolicy(f"{where}.countUnit does not go with countType '{COUNT}'")
    if count_type != COUNT and unit != "days":
        raise InvalidPolicy(f"{where}.countUnit must be 'days' for countType '{count_type}'")
    return count_type


def _check_together(rules: list[Rule]) -> None:
    if len(rules) > MOST_RULES:
        raise InvalidPolicy(f"there are {len(rules)} rules; at most {MOST_RULES} can be given")
    patterns = [tuple(sorted(rule.patterns)) for rule in rules if rule.patterns]
    if len(set(patterns)) < len(patterns):
        raise InvalidPolicy("each list of tag patterns or prefixes must be given once")
    priorities = [rule.priority for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise InvalidPolicy("each rulePriority must be given once")
    for status in ("any", "untagged"):
        if len([rule for rule in rules if rule.tag_status == status]) > 1:
            raise InvalidPolicy(f"only one rule may have tagStatus '{status}'")
    everything = [rule for rule in rules if rule.tag_status == "any"]
    if everything and everything[0].priority != max(priorities):
        raise InvalidPolicy("the rule with tagStatus 'any' must have the highest rulePriority")


def _only(entry: dict[str, Any], where: str, *known: str) -> None:
    if unknown := sorted(set(entry) - set(known)):
        raise InvalidPolicy(f"{where} has the unknown members {', '.join(unknown)}")


def _object(entry: dict[str, Any], member: str, where: str) -> dict[str, Any]:
    value = entry.get(member)
    if not isinstance(value, dict):
        raise InvalidPolicy(f"{where}.{member} must be an object")
    return value


def _number(entry: dict[str, Any], member: str, where: str) -> int:
    value = entry.get(member)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidPolicy(f"{where}.{member} must be a number from 1")
    return value


def _one_of(entry: dict[str, Any], member: str, where: str, *allowed: str) -> str:
    value = entry.get(member)
    if value not in allowed:
        raise InvalidPolicy(f"{where}.{member} must be one of {', '.join(allowed)}, not {value!r}")
    return value
