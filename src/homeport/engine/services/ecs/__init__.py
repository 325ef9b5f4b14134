"""Elastic Container Service."""

from homeport.engine.services.ecs.service import SERVICE

__all__ = ["SERVICE"]
