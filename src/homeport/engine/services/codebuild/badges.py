"""Build badges: `GET /badges?uuid=…&branch=…`, a picture of how a project's last build of a branch or tag ended.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-badges.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, PROJECTS, Row
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
    "STOPPED": ("failing", "#d13212"),
    IN_PROGRESS: ("in progress", "#0073bb"),
}
_UNKNOWN = ("unknown", "#687078")
_DEFAULTS = ("refs/heads/main", "refs/heads/master")
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="130" height="20" role="img" aria-label="build: {word}">
<rect width="40" height="20" rx="3" fill="#545b64"/><rect x="37" width="93" height="20" rx="3" fill="{color}"/>
<g fill="#fff" font-family="Verdana,sans-serif" font-size="11"><text x="6" y="14">build</text>
<text x="46" y="14">{word}</text></g></svg>
"""


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        references = {
            kind: request.parameter(name) or "" for kind, name in (("heads", "branch"), ("tags", "tag"))
        }
        wanted = next((f"refs/{kind}/{name}" for kind, name in references.items() if name), "")
        word, color = _look(engine, request.parameter("uuid") or "", wanted)
        headers = {"content-type": "image/svg+xml", "cache-control": "no-cache"}
        await http.Response(200, headers, _SVG.format(word=word, color=color).encode()).send(send)

    return app


def _look(engine: Engine, badge: str, wanted: str) -> tuple[str, str]:
    for scope, project in PROJECTS.everywhere(engine.store):
        if project["_badge"] == badge and project["badge"]["badgeEnabled"]:
            rows = BUILDS.list(Place(engine.store, scope), projectName=project["name"])
            builds = [row for row in rows if not wanted or _is_of(row, wanted)]
            last = max(builds, key=lambda row: row["startTime"], default=None)
            return _LOOKS.get(last["buildStatus"], _UNKNOWN) if last else _UNKNOWN
    return _UNKNOWN


def _is_of(build: Row, wanted: str) -> bool:
    """Whether a build was one of this branch or tag (`refs/heads/main`): the one that its webhook told, or that its
    source version names; without one, of the branch that repositories have by themselves."""
    variables = {each["name"]: each["value"] for each in build["environment"]["environmentVariables"]}
    told = variables.get("CODEBUILD_WEBHOOK_HEAD_REF", "")
    version = build.get("sourceVersion", "").partition("^{")[0]
    if not told and not version:
        return wanted in _DEFAULTS
    return wanted in (told, version) or wanted.split("/", 2)[2] == version
