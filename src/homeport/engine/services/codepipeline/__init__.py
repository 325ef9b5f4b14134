"""AWS CodePipeline.

https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome.html
"""

from homeport.engine.services.codepipeline.service import SERVICE

__all__ = ["SERVICE"]
