"""AWS Systems Manager Parameter Store."""

from homeport.engine.services.ssm.service import SERVICE

__all__ = ["SERVICE"]
