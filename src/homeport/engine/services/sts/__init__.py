"""Security Token Service: who am I, and temporary credentials."""

from homeport.engine.services.sts.service import SERVICE

__all__ = ["SERVICE"]
