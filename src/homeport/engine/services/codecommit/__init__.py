"""AWS CodeCommit: real git repositories behind AWS's API.

https://docs.aws.amazon.com/codecommit/latest/userguide/welcome.html
"""

from homeport.engine.services.codecommit.service import SERVICE

__all__ = ["SERVICE"]
