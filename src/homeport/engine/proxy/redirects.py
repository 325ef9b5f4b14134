"""A redirect action as an Envoy route: an answer whose location the script makes of AWS's placeholders.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#redirect-actions
"""

from __future__ import annotations

from typing import Any

from homeport.engine.proxy.model import Redirect
from homeport.engine.proxy.script import LOCATION


def redirect(action: Redirect) -> dict[str, Any]:
    """The answer of the route."""
    headers = {"location": LOCATION, "server": "awselb/2.0"}
    return {
        "direct_response": {"status": action.status},
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
    }


def template(action: Redirect) -> str:
    """`#{protocol}://#{host}:#{port}/#{path}?#{query}`, with what the action says instead."""
    protocol = action.protocol if action.protocol == "#{protocol}" else action.protocol.lower()
    return f"{protocol}://{action.host}:{action.port}{action.path}?{action.query}"
