"""The networks of containers.

homeport-metadata   one for all engines of the machine (169.254.170.0/24). No container is in it: it exists so
                    that 169.254.170.2 is an address of the host, which containers of every bridge reach through
                    their default gateway, as on AWS.
homeport-<id>       the bridge of one engine. A task's address is its container's address here; the gateway's
                    address is where the engine listens for its containers.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

from homeport.engine.containers.client import Client
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable

METADATA_NETWORK = "homeport-metadata"
METADATA_ADDRESS = "169.254.170.2"
_METADATA_IPAM = {"Subnet": "169.254.170.0/24", "Gateway": METADATA_ADDRESS}

_LOOK_SECONDS = 5.0
"""After that time it is seen whether the networks are still there: `docker network prune` takes those that no container
is in."""
_OWN_SUBNETS = 256  # of 10.212.0.0/14, a /22 each


class Network(NamedTuple):
    """The engine's bridge: its Docker name, its subnet, and the host's address in it."""

    name: str
    subnet: str
    gateway: str


class Networks:
    """Makes the networks when they are needed, and again when somebody has removed them."""

    def __init__(self, client: Client, engine_id: str) -> None:
        self._client = client
        self._engine_id = engine_id
        self._made: Network | None = None
        self._looked = 0.0
        self._making = asyncio.Lock()

    async def ensure(self) -> Network:
        """The engine's network; both networks exist when this returns. Raises DockerUnavailable."""
        async with self._making:
            if self._made is None or time.monotonic() - self._looked > _LOOK_SECONDS:
                self._made = await self._look()
                self._looked = time.monotonic()
            return self._made

    async def _look(self) -> Network:
        try:
            return await self._make()
        except DockerUnavailable:
            if self._made is None:
                raise
            return self._made  # whatever Docker is asked for next will say so

    async def _make(self) -> Network:
        await self._ensure_one(METADATA_NETWORK, "hp-meta", [_METADATA_IPAM], {})
        name = f"homeport-{self._engine_id}"
        labels = {"homeport.engine": self._engine_id}
        # the engine listens at the gateway's address, so that a network that was removed has to have the same again
        own = [{"Subnet": self._made.subnet, "Gateway": self._made.gateway}] if self._made else []
        found = await self._ensure_one(name, f"hp-{self._engine_id}", own, labels)
        ipam = found["IPAM"]["Config"][0]
        return Network(name, ipam["Subnet"], ipam["Gateway"])

    async def remove(self) -> None:
        """Remove the engine's network; the metadata network stays for the other engines."""
        self._made = None
        try:
            await self._client.call("DELETE", f"networks/homeport-{self._engine_id}")
        except DockerRefused as error:
            if error.status != 404:
                raise

    async def _ensure_one(
        self, name: str, bridge: str, ipam: list[dict[str, str]], labels: dict[str, str]
    ) -> dict[str, Any]:
        body = {
            "Name": name,
            "CheckDuplicate": True,
            "Driver": "bridge",
            "Options": {"com.docker.network.bridge.name": bridge},
            "Labels": labels,
            "IPAM": {"Config": ipam},
        }
        if (found := await self._find(name)) is not None:
            return found
        try:
            await self._client.call("POST", "networks/create", body=body)
        except DockerRefused as error:
            # another engine may have made the shared one between the question and the order
            if (found := await self._find(name)) is not None:
                return found
            if "address pool" not in error.message:
                raise
            await self._create_with_own_subnet(body, error)
        found = await self._find(name)
        assert found is not None
        return found

    async def _create_with_own_subnet(self, body: dict[str, Any], full: DockerRefused) -> None:
        """Docker's own pools hold thirty networks; beyond them, take a subnet that nothing has yet."""
        start = int(self._engine_id, 16)
        for attempt in range(_OWN_SUBNETS):
            second, third = divmod((start + attempt) % _OWN_SUBNETS * 4, 256)
            subnet = f"10.{212 + second}.{third}.0/22"
            try:
                ipam = {"Config": [{"Subnet": subnet, "Gateway": f"10.{212 + second}.{third}.1"}]}
                await self._client.call("POST", "networks/create", body={**body, "IPAM": ipam})
            except DockerRefused as error:
                if "overlap" not in error.message:
                    raise
            else:
                return
        raise full

    async def _find(self, name: str) -> dict[str, Any] | None:
        try:
            return await self._client.call("GET", f"networks/{name}")
        except DockerRefused as error:
            if error.status == 404:
                return None
            raise
