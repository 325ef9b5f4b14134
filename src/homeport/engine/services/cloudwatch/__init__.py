"""Amazon CloudWatch metrics and alarms."""

from homeport.engine.services.cloudwatch.service import SERVICE

__all__ = ["SERVICE"]
