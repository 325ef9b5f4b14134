"""One call of the distribution API: the request, the repository that it names, and who may do it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.files import LayerFiles
from homeport.engine.services.ecr.names import is_digest
from homeport.engine.services.ecr.registry.access import authorize
from homeport.engine.services.ecr.registry.errors import RegistryError
from homeport.engine.wire.call import Call as WireCall
from homeport.engine.wire.http import Request

_BYTES = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)(?:/(?:\d+|\*))?")


@dataclass(frozen=True, slots=True)
class Call:
    """`ctx` acts as the principal of the token; `repository` is well formed, but need not exist; `prefix` is what
    stands before it in the path; `allowed` are the calls of ECR's API that this one amounts to, for the audit trail."""

    ctx: Context
    files: LayerFiles
    request: Request
    repository: str
    prefix: str = ""
    allowed: list[WireCall] = field(default_factory=list)

    async def allow(self, action: str, repository: str | None = None) -> None:
        """Ask IAM and the repository's policy. Raises AccessDeniedException."""
        self.allowed.append(await authorize(self.ctx, self.request, action, repository or self.repository))

    def url(self, rest: str) -> str:
        """The path of something in the repository. Relative, so that it holds behind every name and port under
        which the registry is reached."""
        return f"/v2/{self.prefix}{self.repository}/{rest}"

    def content_range(self) -> int | None:
        """Where the sent part begins, as Content-Range says. Raises for one that its length belies."""
        said = self.request.headers.get("content-range")
        if said is None:
            return None
        match = _BYTES.fullmatch(said.strip())
        if match is None:
            raise RegistryError("BLOB_UPLOAD_INVALID", f"Content-Range '{said}' is not '<first>-<last>'", 400)
        first, last = int(match[1]), int(match[2])
        length = self.request.headers.get("content-length")
        if last < first - 1 or (length is not None and int(length) != last - first + 1):
            raise RegistryError(
                "SIZE_INVALID", f"Content-Range '{said}' does not match the Content-Length {length}", 400
            )
        return first


def checked_digest(digest: str) -> str:
    """The digest, if it is well formed. Raises DIGEST_INVALID."""
    if not is_digest(digest):
        raise RegistryError("DIGEST_INVALID", f"'{digest}' is not a sha256 or sha512 digest", 400)
    return digest
