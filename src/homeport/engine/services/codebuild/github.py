"""GitHub's REST API, as far as builds need it: commit statuses, and what its webhooks leave out.

https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
"""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from homeport.engine.config import Config
from homeport.engine.services.codebuild.tables import Row

if TYPE_CHECKING:
    import aiohttp

SOURCES = ("GITHUB", "GITHUB_ENTERPRISE")
_TIMEOUT_SECONDS = 30
_VERSION = "2022-11-28"
_PER_PAGE, _PAGES = 100, 30
"""GitHub tells of 3000 files at most."""


class Refused(Exception):
    """GitHub will not take it, however often it is asked; the text says why."""


class Unreachable(Exception):
    """It may be taken later: after `after` seconds, when GitHub said so."""

    def __init__(self, message: str, after: float = 0) -> None:
        super().__init__(message)
        self.after = after


def status_url(source: Row, commit: str) -> str:
    """Where the statuses of a commit are created."""
    return f"{_repository(source)}/statuses/{commit}"


async def create_status(config: Config, url: str, token: str, status: Row) -> None:
    """Create a commit status: `state`, `target_url`, `description`, `context`. Raises Refused and Unreachable."""
    await _ask(config, "POST", url, token, 201, status)


async def changed_paths(config: Config, source: Row, number: int, token: str) -> list[str]:
    """The paths of the files that a pull request changes. Raises Refused and Unreachable.

    https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
    """
    paths: list[str] = []
    for page in range(1, _PAGES + 1):
        url = f"{_repository(source)}/pulls/{number}/files?per_page={_PER_PAGE}&page={page}"
        files = _read(url, await _ask(config, "GET", url, token, 200))
        paths += [file["filename"] for file in files]
        if len(files) < _PER_PAGE:
            break
    return paths


async def commit_message(config: Config, source: Row, commit: str, token: str) -> str:
    """Raises Refused and Unreachable. https://docs.github.com/en/rest/commits/commits#get-a-commit"""
    url = f"{_repository(source)}/commits/{commit}"
    return str(_read(url, await _ask(config, "GET", url, token, 200))["commit"]["message"])


def _repository(source: Row) -> str:
    """A repository's place in the API: that of github.com, or of the source's own server."""
    url = urlsplit(source["location"])
    server = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    api = "https://api.github.com" if source["type"] == "GITHUB" else f"{server}/api/v3"
    return f"{api}/repos/{url.path.strip('/').removesuffix('.git')}"


async def _ask(
    config: Config, method: str, url: str, token: str, expected: int, body: Row | None = None
) -> bytes:
    """The answer's body. Without a token the caller is nobody, who sees public repositories."""
    import aiohttp

    headers = {
        "Accept": "application/vnd.github+json",
        "User-Agent": "homeport",
        "X-GitHub-Api-Version": _VERSION,
    }
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    tls = ssl.create_default_context(cafile=str(config.ca_bundle) if config.ca_bundle else None)
    connector, timeout = aiohttp.TCPConnector(ssl=tls), aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=True, timeout=timeout) as session,
            session.request(method, url, json=body, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != expected:
                _refuse(f"{method} {url}", answer, (await answer.text(errors="replace"))[:300])
            return await answer.read()
    except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ValueError) as error:
        raise Unreachable(f"{url} cannot be reached: {error or type(error).__name__}") from None


def _read(url: str, body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Refused(f"{url} answered no JSON: is it GitHub's API?") from None


def _refuse(asked: str, answer: aiohttp.ClientResponse, body: str) -> None:
    message = f"{asked} answered {answer.status}: {body}"
    limited = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if answer.status in (408, 429) or answer.status >= 500 or (answer.status == 403 and limited):
        after = answer.headers.get("retry-after", "")
        raise Unreachable(message, float(after) if after.isdecimal() else 0)
    raise Refused(message)
