"""CloudWatch Logs filter patterns: terms, JSON selectors and space-delimited fields.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from homeport.engine.services.logs.filter_conditions import InvalidFilterPattern
from homeport.engine.services.logs.filter_delimited import delimited_pattern
from homeport.engine.services.logs.filter_json import json_pattern
from homeport.engine.services.logs.filter_terms import terms_pattern
from homeport.engine.wire.errors import AwsError

__all__ = ["FilterPattern", "InvalidFilterPattern", "compile_filter", "compiled"]

FilterPattern = Callable[[str], dict[str, str] | None]
"""Takes a message; answers the values that the pattern names in it, or None when it does not match."""


@lru_cache(maxsize=1024)
def compile_filter(pattern: str) -> FilterPattern:
    """The compiled filter pattern; an empty one matches every message. Raises InvalidFilterPattern."""
    text = pattern.strip()
    if not text:
        return lambda message: {}
    if text[0] == "{" and text[-1] == "}":
        return json_pattern(text[1:-1])
    if text[0] == "[" and text[-1] == "]":
        return delimited_pattern(text[1:-1])
    return terms_pattern(text)


def compiled(pattern: str) -> FilterPattern:
    """The filter pattern of a request. Raises InvalidParameterException."""
    try:
        return compile_filter(pattern)
    except InvalidFilterPattern as error:
        raise AwsError("InvalidParameterException", f"Invalid filter pattern: {error}") from None
