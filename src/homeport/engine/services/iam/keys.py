"""The condition keys that a request's members tell: service-specific ones and the tags it carries.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from homeport.engine.services.iam.patterns import Values
from homeport.engine.services.iam.resources import Ask, Where


def request_keys(
    prefix: str, ask: Ask, request: Mapping[str, Any], where: Where, wire_names: Mapping[str, str]
) -> dict[str, Values]:
    """Keys (in lower case) of the action that this request gives values. `wire_names` are the members' names on
    the wire where they differ: S3's keys are called after its headers and query parameters."""
    found: dict[str, Values] = {}
    members = {_plain(name): value for name, value in request.items()}
    members.update({_plain(wire): request[name] for name, wire in wire_names.items() if name in request})
    for key in ask.entry.keys:
        _, _, name = key.partition(":")
        if key.startswith("aws:") or "$" in name or "<" in name:
            continue
        if (prefix, name) in _SPECIAL:
            values = tuple(_SPECIAL[prefix, name](request, where))
        else:
            values = _strings(_found(members, request, name))
        if values:
            found[key.lower()] = values
    found.update(_tag_keys(prefix, request))
    if prefix == "kms":
        found.update(_encryption_context(request))
    return found


def request_tags(request: Mapping[str, Any]) -> dict[str, str]:
    """The tags that a request sets, in whichever of AWS's forms they are given."""
    for name, value in request.items():
        if name.lower() in ("tags", "taglist", "tagsmodel") or (
            name == "Tagging" and isinstance(value, Mapping)
        ):
            given = value.get("TagSet", value) if isinstance(value, Mapping) else value
            if isinstance(given, Mapping):
                return {key: str(text) for key, text in given.items() if isinstance(text, str)}
            if isinstance(given, list):
                return dict(_pairs(given))
    for specification in request.get("TagSpecifications") or ():
        if isinstance(specification, Mapping):
            return dict(_pairs(specification.get("Tags") or []))
    return {}


def _pairs(given: list[Any]) -> Iterator[tuple[str, str]]:
    for item in given:
        if isinstance(item, Mapping):
            tag = {name.lower().removeprefix("tag"): value for name, value in item.items()}
            if "key" in tag:
                yield str(tag["key"]), str(tag.get("value") or "")


def _tag_keys(prefix: str, request: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    tags = request_tags(request)
    objects = prefix == "s3" and "Key" in request
    if objects and isinstance(request.get("Tagging"), str):
        tags = dict(parse_qsl(request["Tagging"], keep_blank_values=True))
    for key, value in tags.items():
        yield (f"s3:requestobjecttag/{key}" if objects else f"aws:requesttag/{key}").lower(), (value,)
    names = tuple(tags) or _strings(request.get("tagKeys", request.get("TagKeys")))
    if names:
        yield "s3:requestobjecttagkeys" if objects else "aws:tagkeys", names


def _encryption_context(request: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    context = request.get("EncryptionContext") or {}
    for key, value in context.items():
        yield f"kms:encryptioncontext:{key}".lower(), (str(value),)
    if context:
        yield "kms:encryptioncontextkeys", tuple(context)


def _found(members: Mapping[str, Any], request: Mapping[str, Any], name: str) -> Any:
    if "." in name:
        value: Any = request
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value
    plain = _plain(name)
    for candidate in (plain, f"{plain}s", f"{plain}arn", f"{plain}name", f"{plain}id"):
        if candidate in members:
            return members[candidate]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _strings(value: Any) -> Values:
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str | int | float):
        return (str(value),)
    if isinstance(value, list):
        return tuple(str(item) for item in value if isinstance(item, str | int | float))
    return ()


def _arn_of(service: str, kind: str, member: str, default: str = "") -> Callable[..., Iterator[str]]:
    def arn(request: Mapping[str, Any], where: Where) -> Iterator[str]:
        value = request.get(member) or default
        if value.startswith("arn:"):
            yield value
        elif value:
            yield f"arn:aws:{service}:{where.region}:{where.account}:{kind}/{value}"

    return arn


def _ecs_service(request: Mapping[str, Any], where: Where) -> Iterator[str]:
    service = request.get("service") or ""
    cluster = (request.get("cluster") or "default").rpartition("/")[2]
    if service.startswith("arn:"):
        yield service
    elif service:
        yield f"arn:aws:ecs:{where.region}:{where.account}:service/{cluster}/{service}"


def _references(request: Mapping[str, Any], where: Where) -> Iterator[str]:
    for member in ("branchName", "destinationBranch", "targetBranch", "defaultBranchName"):
        if request.get(member):
            yield f"refs/heads/{request[member]}"


_SPECIAL: dict[tuple[str, str], Callable[[Mapping[str, Any], Where], Iterator[str]]] = {
    ("codecommit", "References"): _references,
    ("ecs", "cluster"): _arn_of("ecs", "cluster", "cluster", "default"),
    ("ecs", "service"): _ecs_service,
    ("ecs", "task-definition"): _arn_of("ecs", "task-definition", "taskDefinition"),
}
