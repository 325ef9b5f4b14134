"""Requests that browsers make for pages of other origins, as a bucket's CORS rules allow them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from homeport.engine.services.engine import Engine
from homeport.engine.services.s3.buckets import BUCKETS, everywhere
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request
from homeport.engine.wire.routing import s3_path

_REFUSED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method "
    "/ Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


def cross_origin(engine: Engine, request: Request) -> dict[str, str]:
    """The headers that let a page of the request's origin read the answer; none when no rule lets it.
    Raises AccessForbidden for a preflight that no rule allows."""
    origin = request.headers["origin"]
    preflight = request.method == "OPTIONS"
    bucket = BUCKETS.get(everywhere(engine.store), s3_path(request).lstrip("/").partition("/")[0])
    rules = bucket["settings"].get("cors", {}).get("CORSRules", ()) if bucket else ()
    method = request.headers.get("access-control-request-method", "") if preflight else request.method
    wanted = request.headers.get("access-control-request-headers", "") if preflight else ""
    names = [name.strip().lower() for name in wanted.split(",") if name.strip()]
    rule = next((each for each in rules if _allows(each, origin, method, names)), None)
    if rule is None:
        if preflight:
            message = _REFUSED if rules else "CORSResponse: CORS is not enabled for this bucket."
            raise AwsError("AccessForbidden", message, 403, Method=method, ResourceType="OBJECT")
        return {}
    return _headers(rule, origin, names)


def _allows(rule: Mapping[str, Any], origin: str, method: str, names: Iterable[str]) -> bool:
    allowed = [name.lower() for name in rule.get("AllowedHeaders", ())]
    return (
        method in rule["AllowedMethods"]
        and any(_fits(pattern, origin) for pattern in rule["AllowedOrigins"])
        and all(any(_fits(pattern, name) for pattern in allowed) for name in names)
    )


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _headers(rule: Mapping[str, Any], origin: str, names: list[str]) -> dict[str, str]:
    everyone = "*" in rule["AllowedOrigins"]
    headers = {
        "access-control-allow-origin": "*" if everyone else origin,
        "access-control-allow-methods": ", ".join(rule["AllowedMethods"]),
        "vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }
    if not everyone:
        headers["access-control-allow-credentials"] = "true"
    if names:
        headers["access-control-allow-headers"] = ", ".join(names)
    if rule.get("ExposeHeaders"):
        headers["access-control-expose-headers"] = ", ".join(rule["ExposeHeaders"])
    if rule.get("MaxAgeSeconds") is not None:
        headers["access-control-max-age"] = str(rule["MaxAgeSeconds"])
    return headers
