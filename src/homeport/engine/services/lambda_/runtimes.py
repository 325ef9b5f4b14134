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
    **{f"python3.{minor}": _PYTHON for minor in range(9, 16)},
    **{f"nodejs{major}.x": _NODE for major in range(18, 27, 2)},
}


@cache
def bootstrap(runtime: str) -> bytes:
    """The program text of a runtime's interface client."""
    return files(__package__).joinpath("runtime", RUNTIMES[runtime].bootstrap).read_bytes()
