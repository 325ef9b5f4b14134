"""Build badges: `GET /badges?uuid=…`, a picture of how a project's last build ended.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-badges.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, PROJECTS
from homeport.engine.store.database import Place
from homeport.engine.wire import http

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "badges"
_LOOKS = {
    "SUCCEEDED": ("passing", "#1d8102"),
    "FAILED": ("failing", "#d13212"),
    "FAULT": ("failing", "#d13212"),
    "TIMED_OUT": ("failing", "#d13212"),
    IN_PROGRESS: ("in progress", "#0073bb"),
}
_UNKNOWN = ("unknown", "#687078")
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="130" height="20" role="img" aria-label="build: {word}">
<rect width="40" height="20" rx="3" fill="#545b64"/><rect x="37" width="93" height="20" rx="3" fill="{color}"/>
<g fill="#fff" font-family="Verdana,sans-serif" font-size="11"><text x="6" y="14">build</text>
<text x="46" y="14">{word}</text></g></svg>
"""


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        word, color = _look(engine, request.parameter("uuid") or "")
        headers = {"content-type": "image/svg+xml", "cache-control": "no-cache"}
        await http.Response(200, headers, _SVG.format(word=word, color=color).encode()).send(send)

    return app


def _look(engine: Engine, badge: str) -> tuple[str, str]:
    for scope, project in PROJECTS.everywhere(engine.store):
        if project["_badge"] == badge and project["badge"]["badgeEnabled"]:
            builds = BUILDS.list(Place(engine.store, scope), projectName=project["name"])
            last = max(builds, key=lambda row: row["startTime"], default=None)
            return _LOOKS.get(last["buildStatus"], _UNKNOWN) if last else _UNKNOWN
    return _UNKNOWN
