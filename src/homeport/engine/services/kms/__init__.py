"""Key Management Service: keys that encrypt, sign and never leave."""

from homeport.engine.services.kms.service import SERVICE

__all__ = ["SERVICE"]
