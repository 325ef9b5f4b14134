"""CloudTrail: who did what, on what, from where, and by which policy it was allowed or denied."""

from homeport.engine.services.cloudtrail.service import SERVICE

__all__ = ["SERVICE"]
