"""Resources that are recorded by name and do nothing: those of types that homeport does not make, when the engine is
told to, and CDK's metadata."""

from __future__ import annotations

from homeport.engine.services.cloudformation.resources.provider import Made, Request, ResourceProvider


class Inert(ResourceProvider):
    """A name, and nothing behind it."""

    async def create(self, request: Request) -> Made:
        return Made(request.name(), {})

    async def update(self, request: Request) -> Made:
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        return None


TYPES = (Inert("AWS::CDK::Metadata"),)
