"""AWS Secrets Manager."""

from homeport.engine.services.secretsmanager.service import SERVICE

__all__ = ["SERVICE"]
