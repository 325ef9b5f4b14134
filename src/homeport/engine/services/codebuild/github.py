"""GitHub's REST API, as far as builds need it: commit statuses.

https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
"""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import aiohttp

from homeport.engine.config import Config
from homeport.engine.services.codebuild.tables import Row

SOURCES = ("GITHUB", "GITHUB_ENTERPRISE")
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_VERSION = "2022-11-28"


class Refused(Exception):
    """GitHub will not take it, however often it is asked; the text says why."""


class Unreachable(Exception):
    """It may be taken later: after `after` seconds, when GitHub said so."""

    def __init__(self, message: str, after: float = 0) -> None:
        super().__init__(message)
        self.after = after


def status_url(source: Row, commit: str) -> str:
    """Where the statuses of a commit are created: api.github.com, or the API of the source's own server."""
    url = urlsplit(source["location"])
    server = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    api = "https://api.github.com" if source["type"] == "GITHUB" else f"{server}/api/v3"
    return f"{api}/repos/{url.path.strip('/').removesuffix('.git')}/statuses/{commit}"


async def create_status(config: Config, url: str, token: str, status: Row) -> None:
    """Create a commit status: `state`, `target_url`, `description`, `context`. Raises Refused and Unreachable."""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "User-Agent": "homeport",
        "X-GitHub-Api-Version": _VERSION,
    }
    tls = ssl.create_default_context(cafile=str(config.ca_bundle) if config.ca_bundle else None)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls), trust_env=True, timeout=_TIMEOUT
            ) as session,
            session.post(url, json=status, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 201:
                _refuse(url, answer, (await answer.text(errors="replace"))[:300])
    except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ValueError) as error:
        raise Unreachable(f"{url} cannot be reached: {error or type(error).__name__}") from None


def _refuse(url: str, answer: aiohttp.ClientResponse, body: str) -> None:
    message = f"POST {url} answered {answer.status}: {body}"
    limited = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if answer.status in (408, 429) or answer.status >= 500 or (answer.status == 403 and limited):
        after = answer.headers.get("retry-after", "")
        raise Unreachable(message, float(after) if after.isdecimal() else 0)
    raise Refused(message)
