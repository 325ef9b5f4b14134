"""What a rule provider is: it passes and says why, or raises ActionFailed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeport.engine.services.codepipeline.actions.contract import HOUR, Property

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


@dataclass(frozen=True, slots=True)
class RuleProvider:
    """One rule type; `run` returns the summary of a rule that passed."""

    name: str
    properties: tuple[Property, ...]
    run: Callable[[Running], Awaitable[str]]
    timeout: float = HOUR
    artifacts: bool = False
