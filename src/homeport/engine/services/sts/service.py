"""STS as a service of the engine."""

from __future__ import annotations

from homeport.engine.services.service import Service
from homeport.engine.services.sts import assume_role, callers, federation

SERVICE = Service("sts", modules=(assume_role, callers, federation))
