"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One trouble. `evidence` is what was seen, word for word where AWS said it; `mend` is what to do or to paste."""

    subject: str
    trouble: str
    evidence: str
    mend: str
