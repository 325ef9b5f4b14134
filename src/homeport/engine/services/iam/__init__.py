"""Identity and Access Management: who may do what."""

from homeport.engine.services.iam.service import SERVICE

__all__ = ["SERVICE"]
