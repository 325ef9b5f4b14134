"""A redirect action as an Envoy route.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#redirect-actions
"""

from __future__ import annotations

from typing import Any

from homeport.engine.proxy.model import Redirect


def redirect(action: Redirect) -> dict[str, Any]:
    """The redirect; parts that are their own placeholder stay as the request has them."""
    literal_query = action.query not in ("", "#{query}")
    if literal_query and "#{path}" in action.path:
        return _by_location(action)
    result: dict[str, Any] = {"response_code": "MOVED_PERMANENTLY" if action.status == 301 else "FOUND"}
    if action.protocol != "#{protocol}":
        result["scheme_redirect"] = action.protocol.lower()
    if action.host != "#{host}":
        result["host_redirect"] = action.host
    if action.port != "#{port}":
        result["port_redirect"] = int(action.port)
    if literal_query:
        result["path_redirect"] = f"{action.path}?{action.query}"
    else:
        result["strip_query"] = action.query == ""
        result.update(_path(action.path))
    return {"redirect": result}


def _path(path: str) -> dict[str, Any]:
    if path == "/#{path}":
        return {}
    if "#{path}" not in path:
        return {"path_redirect": path}
    before, after = (part.replace("\\", "\\\\") for part in path.split("#{path}", 1))
    return {"regex_rewrite": {"pattern": {"regex": "^/(.*)$"}, "substitution": f"{before}\\1{after}"}}


def _by_location(action: Redirect) -> dict[str, Any]:
    """The request's path with a query of ours: Envoy's redirect cannot do that, an answer with a header can.

    The request's path begins with the slash that stands before `#{path}`.
    """
    scheme = "%REQ(:SCHEME)%" if action.protocol == "#{protocol}" else action.protocol.lower()
    host = "%REQ(:AUTHORITY)%" if action.host == "#{host}" else _text(action.host)
    port = "" if action.port == "#{port}" else f":{action.port}"
    path = _text(action.path).replace("/#{path}", "%PATH(NQ)%", 1)
    location = f"{scheme}://{host}{port}{path}?{_text(action.query)}"
    header = {"header": {"key": "location", "value": location}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {"direct_response": {"status": action.status}, "response_headers_to_add": [header]}


def _text(value: str) -> str:
    return value.replace("%", "%%")
