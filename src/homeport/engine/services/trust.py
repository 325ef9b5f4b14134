"""The certificates that containers trust: those that the host trusts, and the engine's own authority."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def ca_bundle(engine: Engine) -> bytes:
    """All of them, in PEM."""
    own = engine.authority.certificate.read_bytes()
    candidates: Iterable[Path | None] = (engine.config.ca_bundle, *map(Path, _SYSTEM_BUNDLES))
    for path in candidates:
        if path and path.is_file():
            return path.read_bytes().rstrip() + b"\n" + own
    import certifi

    return Path(certifi.where()).read_bytes().rstrip() + b"\n" + own
