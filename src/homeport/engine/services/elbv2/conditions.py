"""Conditions of rules: checked, kept in AWS's shape, and handed to the proxy.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from homeport.engine.proxy.model import Condition
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
_ONCE = {"host-header", "path-pattern", "http-request-method", "source-ip"}
_BARE = {"host-header", "path-pattern"}  # may be given as plain `Values`, and are shown in both ways
_MOST_VALUES = 5
_BEYOND_RE2 = re.compile(
    r"\(\?(?:[=!>]|<[=!]|P=)|\\[1-9]|[*+?}]\+"
)  # what Python has and Envoy's engine has not


def stored(conditions: list[Body]) -> list[Body]:
    """The conditions as Describe operations show them. Raises ValidationError."""
    if not conditions:
        raise AwsError("ValidationError", "A rule must have at least one condition")
    kept = [_stored(each) for each in conditions]
    fields = [each["Field"] for each in kept]
    for field in _ONCE:
        if fields.count(field) > 1:
            raise AwsError("ValidationError", f"A rule can only have one '{field}' condition")
    if sum(_count(each) for each in kept) > _MOST_VALUES:
        raise AwsError("ValidationError", f"A rule can only have '{_MOST_VALUES}' condition values")
    return kept


def matching(conditions: list[Body]) -> tuple[Condition, ...]:
    """Stored conditions for the proxy."""
    return tuple(_matching(each) for each in conditions)


def _stored(condition: Body) -> Body:
    field = condition.get("Field") or next((f for f, c in _CONFIGS.items() if c in condition), None)
    if field not in _CONFIGS:
        raise AwsError(
            "ValidationError", f"Condition field '{field}' must be one of '[{', '.join(sorted(_CONFIGS))}]'"
        )
    name = _CONFIGS[field]
    config = dict(condition.get(name, {}))
    if field in _BARE:
        if condition.get("Values"):
            config.setdefault("Values", condition["Values"])
        if condition.get("RegexValues"):
            config.setdefault("RegexValues", condition["RegexValues"])
    if not config.get("Values") and not config.get("RegexValues"):
        raise AwsError("ValidationError", f"A condition value must be specified for field '{field}'")
    _check(field, config)
    kept: Body = {"Field": field, name: config}
    if field in _BARE and config.get("Values"):
        kept["Values"] = config["Values"]
    return kept


def _check(field: str, config: Body) -> None:
    for value in config.get("RegexValues", []):
        try:
            re.compile(value)
            if _BEYOND_RE2.search(value):
                raise re.error("look-around and back references are not part of RE2")
        except re.error:
            raise AwsError("ValidationError", f"'{value}' is not a valid regular expression") from None
    for value in config.get("Values", []):
        if isinstance(value, str) and len(value) > 128:
            raise AwsError(
                "ValidationError", f"Condition value '{value}' cannot be longer than '128' characters"
            )
        if field == "http-request-method" and not re.fullmatch(r"[A-Z_-]{1,40}", value):
            raise AwsError("ValidationError", f"'{value}' is not a valid HTTP request method")
        if field == "source-ip":
            try:
                ipaddress.ip_network(value)
            except ValueError:
                raise AwsError("ValidationError", f"'{value}' is not a valid CIDR block") from None
    if field == "http-header" and not re.fullmatch(
        r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}", config.get("HttpHeaderName", "")
    ):
        raise AwsError("ValidationError", "An HTTP header name of 1 to 40 characters must be specified")


def _count(condition: Body) -> int:
    config = condition[_CONFIGS[condition["Field"]]]
    return len(config.get("Values", [])) + len(config.get("RegexValues", []))


def _matching(condition: Body) -> Condition:
    field = condition["Field"]
    config = condition[_CONFIGS[field]]
    if field == "query-string":
        return Condition(
            field, pairs=tuple((each.get("Key", ""), each["Value"]) for each in config["Values"])
        )
    expressions = not config.get("Values")
    values = tuple(config["RegexValues"] if expressions else config["Values"])
    return Condition(field, values, header=config.get("HttpHeaderName", ""), regular_expressions=expressions)
