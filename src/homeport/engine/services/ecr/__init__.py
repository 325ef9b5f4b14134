"""Elastic Container Registry: the API, and the registry that docker speaks to."""

from homeport.engine.services.ecr.service import SERVICE

__all__ = ["SERVICE"]
