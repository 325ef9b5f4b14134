"""Amazon EventBridge."""

from homeport.engine.services.events.service import SERVICE

__all__ = ["SERVICE"]
