"""Amazon CloudWatch Logs."""

from homeport.engine.services.logs.service import SERVICE

__all__ = ["SERVICE"]
