"""A redirect action as an Envoy route.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#redirect-actions
"""

from __future__ import annotations

from typing import Any

from homeport.engine.proxy.model import Redirect


def redirect(action: Redirect) -> dict[str, Any]:
    """The redirect; parts that are their own placeholder stay as the request has them."""
    result: dict[str, Any] = {
        "response_code": "MOVED_PERMANENTLY" if action.status == 301 else "FOUND",
    }
    if action.protocol != "#{protocol}":
        result["scheme_redirect"] = action.protocol.lower()
    if action.host != "#{host}":
        result["host_redirect"] = action.host
    if action.port != "#{port}":
        result["port_redirect"] = int(action.port)
    keeps_query = action.query == "#{query}"
    if action.path != "/#{path}" or not keeps_query:
        query = "" if keeps_query or not action.query else f"?{action.query}"
        result.update(_path(action.path, query))
        result["strip_query"] = not keeps_query
    return {"redirect": result}


def _path(path: str, query: str) -> dict[str, Any]:
    if "#{path}" not in path:
        return {"path_redirect": path + query}
    before, after = (part.replace("\\", "\\\\") for part in path.split("#{path}", 1))
    substitution = f"{before}\\1{after}{query}"
    return {"regex_rewrite": {"pattern": {"regex": "^/(.*)$"}, "substitution": substitution}}
