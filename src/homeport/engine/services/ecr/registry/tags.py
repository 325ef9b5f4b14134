"""The tags of a repository, in pages."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.registry.call import Call
from homeport.engine.services.ecr.registry.errors import RegistryError
from homeport.engine.services.ecr.tables import TAGS
from homeport.engine.wire.http import Response

PAGE = 1000


async def list_tags(call: Call) -> Response:
    """The tags after `last`, `n` of them, with a link to the next page."""
    await call.allow("ListImages")
    find_repository(call.ctx, call.repository)
    count = _count(call.request.parameter("n"))
    last = call.request.parameter("last")
    after = (call.repository, last) if last else None
    rows = TAGS.list(call.ctx, call.repository, after=after, limit=count + 1) if count else []
    tags = [row["imageTag"] for row in rows[:count]]
    headers = {"content-type": "application/json"}
    if len(rows) > count:
        query = urlencode({"n": count, "last": tags[-1]})
        headers["link"] = f'<{call.url(f"tags/list?{query}")}>; rel="next"'
    return Response(200, headers, json.dumps({"name": call.repository, "tags": tags}).encode())


def _count(asked: str | None) -> int:
    if asked is None:
        return PAGE
    if not asked.isdigit():
        raise RegistryError("PAGINATION_NUMBER_INVALID", f"n must be a number, not '{asked}'", 400)
    return min(int(asked), PAGE)
