"""Amazon S3."""

from homeport.engine.services.s3.service import CONTROL, SERVICE

__all__ = ["CONTROL", "SERVICE"]
