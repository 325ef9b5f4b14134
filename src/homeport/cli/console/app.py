"""The page, its stream of changes, the logs of builds, and what a person does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from homeport.cli import pipelines
from homeport.cli.console import pages
from homeport.cli.console.actions import ACTS, Incomplete, act
from homeport.cli.console.board import COLUMNS, PANELS, Board, Panel
from homeport.cli.console.follower import Follower, Log
from homeport.cli.console.hub import Hub, Message, Source, in_thread
from homeport.cli.failures import sentence
from homeport.cli.logs import ActionLog, BuildLog
from homeport.cli.target import AGENT_OF_CONSOLE, CannotReach, Target, TargetName


def make(target: Target, first: str | None = None, account: str = "") -> Starlette:
    """The app; `first` is the pipeline that is shown when none is named, the only one or the first without it."""
    return routes(Console(target, first, account))


def routes(console: Console) -> Starlette:
    """Where the answers are."""
    return Starlette(
        routes=[
            Route("/", console.home),
            Route("/pipelines/{pipeline}", console.page),
            Route("/events", console.events),
            Route("/pipelines/{pipeline}/events", console.events),
            Route("/pipelines/{pipeline}/look/{panel}", console.look, methods=["POST"]),
            Route("/builds/{build}/log", console.build_log),
            Route("/pipelines/{pipeline}/{execution}/{stage}/{action}/log", console.action_log),
            Route("/do/{act}", console.do, methods=["POST"]),
            Mount("/static", StaticFiles(directory=pages.FOLDER / "static")),
        ]
    )


class Console:
    """The answers."""

    def __init__(self, target: Target, first: str | None, account: str = "", pace: float = 1.0) -> None:
        """`pace` is by how much pauses between looks are longer than usual."""
        self._target = replace(target, agent=AGENT_OF_CONSOLE)
        self._first = first
        self._account = account
        self._pace = pace
        self.hub = Hub()

    async def home(self, request: Request) -> Response:
        """The first pipeline, or that there is none yet."""
        try:
            names = await in_thread(lambda: pipelines.names(self._target.client("codepipeline")))
        except (ClientError, BotoCoreError, CannotReach):
            self._target, names = replace(self._target), []  # the page tells why
        name = self._first if self._first in names or (self._first and not names) else next(iter(names), None)
        if name:
            return RedirectResponse(f"{request.scope['root_path']}/pipelines/{quote(name)}", 303)
        return HTMLResponse(self._page(request, "", (), ()))

    async def page(self, request: Request) -> Response:
        """A pipeline."""
        name = request.path_params["pipeline"]
        return HTMLResponse(self._page(request, name, PANELS, COLUMNS))

    async def events(self, request: Request) -> Response:
        """The panels of a pipeline, as they change."""
        name = request.path_params.get("pipeline")
        return self._stream(("board", name or ""), lambda: Board(self._target, name, self._pace))

    async def build_log(self, request: Request) -> Response:
        """The lines of a build, as they are written."""
        build, client = request.path_params["build"], self._target.client
        return self._log(lambda: BuildLog(client("codebuild"), client("logs"), build), build)

    async def action_log(self, request: Request) -> Response:
        """The lines of an action that runs commands by itself, as they are written."""
        names = [request.path_params[each] for each in ("pipeline", "execution", "stage", "action")]
        return self._log(lambda: ActionLog(self._target, *names), *names)

    def _log(self, open: Callable[[], Log], *key: str) -> Response:
        pause = self._pace * (1.0 if self._target.name is TargetName.local else 5.0)
        return self._stream(("log", *key), lambda: Follower(open, pause))

    async def look(self, request: Request) -> Response:
        """Look at a panel now."""
        board = self.hub.sources.get(("board", request.path_params["pipeline"]))
        if isinstance(board, Board):
            board.look_again(request.path_params["panel"])
        return JSONResponse({"said": "Looking again."})

    async def do(self, request: Request) -> Response:
        """Do what a person confirmed."""
        name = request.path_params["act"]
        if name not in ACTS:
            return JSONResponse({"failed": f"There is no {name}."}, 404)
        try:
            given = json.loads(await request.body())
            said = await in_thread(lambda: act(self._target, name, given))
        except (Incomplete, ValueError) as error:
            return JSONResponse({"failed": str(error)}, 400)
        except (ClientError, BotoCoreError, CannotReach) as error:
            self._target = replace(
                self._target
            )  # the engine may be elsewhere now, or a person have logged in again
            return JSONResponse({"failed": sentence(error) or str(error)}, 409)
        for source in self.hub.sources.values():
            if isinstance(source, Board):
                source.look_again()
        return JSONResponse({"said": said})

    def _page(
        self, request: Request, pipeline: str, panels: tuple[Panel, ...], columns: tuple[str, ...]
    ) -> str:
        facts = {"pipeline": pipeline, "panels": panels, "columns": columns, **self._place()}
        return pages.page(base=f"{request.scope['root_path']}/", here=request.url.path, **facts)

    def _place(self) -> dict[str, str]:
        """Where the page looks."""
        if self._target.name is TargetName.aws:
            region = self._target.session.region_name or ""
            parts = (self._target.profile, region)
            return {"place": f"AWS {self._account}".strip(), "where": " · ".join(filter(None, parts))}
        return {"place": "This machine", "where": self._target.session.region_name or ""}

    def _stream(self, key: tuple[str, ...], make: Callable[[], Source]) -> Response:
        async def told() -> AsyncIterator[str]:
            yield "retry: 1000\n\n"
            async for message in self.hub.listen(key, make):
                yield _encoded(message)

        return StreamingResponse(told(), media_type="text/event-stream")


def _encoded(message: Message) -> str:
    return f"event: {message.event}\ndata: {json.dumps(message.data)}\n\n"
