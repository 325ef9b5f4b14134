"""The managed runtimes, and what carries them out: Debian's Python and Node, in an image made once on this machine.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from homeport.engine.containers import recipes

IMAGE = recipes.LAMBDA
RUNTIME_FOLDER = "/var/runtime"


class Runtime(NamedTuple):
    """How a runtime runs: its program and the bootstrap that it runs, and what that program really is."""

    program: str
    bootstrap: str
    really: str


_PYTHON = Runtime("/usr/bin/python3", "bootstrap.py", "Python 3.11")
_NODE = Runtime("/usr/bin/node", "bootstrap.js", "Node.js 18")
RUNTIMES = {
    **dict.fromkeys(("python3.9", "python3.10", "python3.11", "python3.12", "python3.13"), _PYTHON),
    **dict.fromkeys(("nodejs18.x", "nodejs20.x", "nodejs22.x"), _NODE),
}


@cache
def bootstrap(runtime: str) -> bytes:
    """The program text of a runtime's interface client."""
    return files(__package__).joinpath("runtime", RUNTIMES[runtime].bootstrap).read_bytes()
