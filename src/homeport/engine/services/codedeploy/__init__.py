"""CodeDeploy, for services on Amazon ECS."""

from homeport.engine.services.codedeploy.service import SERVICE

__all__ = ["SERVICE"]
