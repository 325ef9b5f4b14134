"""Amazon SNS."""

from homeport.engine.services.sns.service import SERVICE

__all__ = ["SERVICE"]
