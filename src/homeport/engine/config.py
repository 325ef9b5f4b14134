"""Settings of one engine: the only file of the engine that reads the environment."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_PORT = 4566
DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"

Auth = Literal["enforce", "permissive"]


@dataclass(frozen=True, slots=True)
class Config:
    """What an engine is started with.

    `data` is an absolute folder; `emulator` is the URL of an emulator that answers the services which are
    neither homeport's own nor wanted from moto; `clock_speed` is how many seconds of the engine's clock pass
    in one real second, from `clock_since` on (epoch seconds; its start, if None); `fail_at` names the failpoint
    at which the process kills itself (tests only).
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    auth: Auth = "enforce"
    emulator: str | None = None
    inert_resources: bool = False
    clock_speed: float = 1.0
    clock_since: float | None = None
    fail_at: str | None = None
    proxies: dict[str, str] = field(default_factory=dict)
    ca_bundle: Path | None = None

    @property
    def id(self) -> str:
        """Eight hex digits that name this data folder in containers, networks and host names."""
        return hashlib.sha256(str(self.data).encode()).hexdigest()[:8]


def default_data() -> Path:
    """The data folder used when none is named: `HOMEPORT_DATA`, else `~/.local/share/homeport`."""
    named = os.environ.get("HOMEPORT_DATA")
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(named or f"{base}/homeport").expanduser().absolute()


def load(
    data: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    account: str = DEFAULT_ACCOUNT,
    region: str = DEFAULT_REGION,
    auth: Auth = "enforce",
) -> Config:
    """Join the command line's settings with those that only the environment gives."""
    bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE")
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return Config(
        data=(data or default_data()).expanduser().absolute(),
        host=host,
        port=port,
        account=account,
        region=region,
        auth=auth,
        emulator=os.environ.get("HOMEPORT_EMULATOR") or None,
        inert_resources=os.environ.get("HOMEPORT_INERT_RESOURCES", "") == "1",
        clock_speed=float(os.environ.get("HOMEPORT_CLOCK_SPEED", "1")),
        clock_since=float(os.environ.get("HOMEPORT_CLOCK_SINCE", "0")) or None,
        fail_at=os.environ.get("HOMEPORT_FAIL_AT") or None,
        proxies={name: os.environ[name] for name in names if os.environ.get(name)},
        ca_bundle=Path(bundle) if bundle and Path(bundle).is_file() else None,
    )
