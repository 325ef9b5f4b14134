"""AWS CodeBuild."""

from homeport.engine.services.codebuild.service import SERVICE

__all__ = ["SERVICE"]
