"""Amazon S3."""

from homeport.engine.services.s3.service import SERVICE

__all__ = ["SERVICE"]
