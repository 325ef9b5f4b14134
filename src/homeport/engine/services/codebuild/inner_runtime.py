#!/usr/bin/env python3
"""The OCI runtime of a build's own Docker: runc, with the host's proxies and certificates in each container.

So `RUN pip install …` in a Dockerfile works behind a proxy that only this machine knows, and leaves no trace in the
image: the variables are the process's, and the certificates lie in a tmpfs (/dev). Runs in the build's container, with
whatever Python that has.
https://github.com/opencontainers/runtime-spec/blob/main/config.md
"""

import json
import os
import sys
from pathlib import Path

_GIVEN = Path("/codebuild/readonly/plan/inner")
_CERTIFICATES = "/codebuild/readonly/ca-bundle.pem"
_INSIDE = "/dev/homeport-ca.pem"


def main() -> None:
    """Add to the container's configuration, then be runc."""
    words = sys.argv[1:]
    if "create" in words or "run" in words:
        at = next((at for at, word in enumerate(words) if word in ("--bundle", "-b")), None)
        _add(Path(words[at + 1] if at is not None else ".") / "config.json")
    os.execvp("runc", ["runc", *words])


def _add(file: Path) -> None:
    config = json.loads(file.read_text())
    environment = config["process"].setdefault("env", [])
    known = {each.partition("=")[0] for each in environment}
    for line in _GIVEN.read_text().splitlines():
        name, _, value = line.partition("=")
        if name not in known:
            environment.append(f"{name}={_INSIDE if value == _CERTIFICATES else value}")
    bind = {"destination": _INSIDE, "type": "bind", "source": _CERTIFICATES, "options": ["bind", "ro"]}
    config.setdefault("mounts", []).append(bind)
    file.write_text(json.dumps(config))


if __name__ == "__main__":
    main()
