"""How a phase or a build ends when it does not succeed."""

from __future__ import annotations


class PhaseFailed(Exception):
    """The current phase has failed: AWS's status code of the phase's context, and its message."""

    def __init__(self, code: str, message: str, status: str = "FAILED") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
