"""AWS Lambda."""

from homeport.engine.services.lambda_.service import SERVICE

__all__ = ["SERVICE"]
