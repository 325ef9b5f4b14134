"""AWS CodeConnections: repositories at GitHub and elsewhere.

https://docs.aws.amazon.com/codeconnections/latest/userguide/welcome.html
"""

from homeport.engine.services.codeconnections.service import SERVICE, STAR

__all__ = ["SERVICE", "STAR"]
