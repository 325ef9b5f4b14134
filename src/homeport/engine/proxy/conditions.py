"""A rule's conditions as the match of an Envoy route.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
`*` stands for any number of characters, `?` for exactly one. Paths and methods are compared as they are;
host names, headers and query strings without regard to case.
"""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.proxy.model import Condition

SOURCE_ADDRESS_KEY = "homeport.source_address"  # filter state that the listener fills in


def route_match(conditions: tuple[Condition, ...]) -> dict[str, Any]:
    """The `match` of the one route that stands for all of these conditions together."""
    match: dict[str, Any] = {"prefix": "/"}
    headers: list[dict[str, Any]] = []
    for condition in conditions:
        match_one = _FIELDS[condition.field]
        match_one(condition, match, headers)
    if headers:
        match["headers"] = headers
    return match


def _host(condition: Condition, match: dict[str, Any], headers: list[dict[str, Any]]) -> None:
    headers.append(_header(":authority", f"(?i)(?:{_any_of(condition)})(?::[0-9]+)?"))


def _path(condition: Condition, match: dict[str, Any], headers: list[dict[str, Any]]) -> None:
    del match["prefix"]
    only = condition.values[0]
    if len(condition.values) == 1 and not condition.regular_expressions and not set(only) & set("*?"):
        match["path"] = only
    else:
        match["safe_regex"] = {"regex": _any_of(condition)}


def _http_header(condition: Condition, match: dict[str, Any], headers: list[dict[str, Any]]) -> None:
    headers.append(_header(condition.header.lower(), f"(?i)(?:{_any_of(condition)})"))


def _method(condition: Condition, match: dict[str, Any], headers: list[dict[str, Any]]) -> None:
    headers.append(_header(":method", "|".join(re.escape(value) for value in condition.values)))


def _query(condition: Condition, match: dict[str, Any], headers: list[dict[str, Any]]) -> None:
    alternatives = []
    for key, value in condition.pairs:
        name = _pattern(key, any_character="[^&=]") if key else "[^&=]*"
        alternatives.append(f"{name}={_pattern(value, any_character='[^&]')}")
    headers.append(_header(":path", rf"(?i)[^?]*\?(?:.*&)?(?:{'|'.join(alternatives)})(?:&.*)?"))


def _source_ip(condition: Condition, match: dict[str, Any], headers: list[dict[str, Any]]) -> None:
    ranges = []
    for cidr in condition.values:
        address, _, length = cidr.partition("/")
        ranges.append(
            {"address_prefix": address, "prefix_len": int(length or (128 if ":" in address else 32))}
        )
    match["filter_state"] = [{"key": SOURCE_ADDRESS_KEY, "address_match": {"ranges": ranges}}]


_FIELDS = {
    "host-header": _host,
    "path-pattern": _path,
    "http-header": _http_header,
    "http-request-method": _method,
    "query-string": _query,
    "source-ip": _source_ip,
}


def _header(name: str, regex: str) -> dict[str, Any]:
    return {"name": name, "string_match": {"safe_regex": {"regex": regex}}}


def _any_of(condition: Condition) -> str:
    if condition.regular_expressions:
        return "|".join(f".*(?:{value}).*" for value in condition.values)
    return "|".join(_pattern(value) for value in condition.values)


def _pattern(wildcards: str, any_character: str = ".") -> str:
    """A wildcard pattern as a regular expression; `\\*` and `\\?` stand for themselves."""
    out, escaped = [], False
    for character in wildcards:
        if escaped or character not in "*?\\":
            out.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            out.append(any_character + ("*" if character == "*" else ""))
    return "".join(out)
