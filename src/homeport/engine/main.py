"""The composition root: the only file that knows every part of the engine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import socket

from homeport.engine.config import Config
from homeport.engine.control import Control
from homeport.engine.listeners import Listeners, PortTaken, bind
from homeport.engine.services import (
    applicationautoscaling,
    cloudformation,
    cloudtrail,
    cloudwatch,
    codebuild,
    codecommit,
    codeconnections,
    codedeploy,
    codepipeline,
    ecr,
    ecs,
    elbv2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    s3,
    secretsmanager,
    sns,
    ssm,
    sts,
)
from homeport.engine.services.elsewhere.emulator import Emulator
from homeport.engine.services.elsewhere.moto import Moto
from homeport.engine.services.engine import ContainerAccess, Engine
from homeport.engine.services.iam.identity import IamIdentity
from homeport.engine.services.identity import root_key
from homeport.engine.services.service import Service
from homeport.engine.store.database import NewerData
from homeport.engine.wire.dispatch import Front

log = logging.getLogger(__name__)

SERVICES: tuple[Service, ...] = (
    applicationautoscaling.SERVICE,
    cloudformation.SERVICE,
    cloudtrail.SERVICE,
    cloudwatch.SERVICE,
    codebuild.SERVICE,
    codecommit.SERVICE,
    codeconnections.SERVICE,
    codeconnections.STAR,
    codedeploy.SERVICE,
    codepipeline.SERVICE,
    ecr.SERVICE,
    ecs.SERVICE,
    elbv2.SERVICE,
    events.SERVICE,
    iam.SERVICE,
    kms.SERVICE,
    lambda_.SERVICE,
    logs.SERVICE,
    s3.SERVICE,
    s3.CONTROL,
    secretsmanager.SERVICE,
    sns.SERVICE,
    ssm.SERVICE,
    sts.SERVICE,
)
"""Every service that homeport answers itself. A new one is one line here."""


class CannotStart(Exception):
    """Why the engine does not start, and how to mend it."""


def run(config: Config) -> None:
    """Run an engine until SIGTERM or SIGINT. Raises CannotStart."""
    import uvloop

    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with _lock(config.data):
        uvloop.run(_serve(config))


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    with (data / "engine.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Another engine already runs on the data folder {data}: stop it with `homeport engine stop`, or "
                "give this one a folder of its own with --data."
            ) from None
        yield


async def _serve(config: Config) -> None:
    try:
        listening = bind(config.host, config.port)
    except PortTaken as error:
        raise CannotStart(f"{error}. Stop what uses it, or choose another with --port.") from None
    try:
        process = Process(config, listening)
    except NewerData as error:
        raise CannotStart(
            f"The data folder {config.data} was written by a newer homeport: {error}. Install that version, or "
            "give this one another folder with --data."
        ) from None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await process.open()
    await stop.wait()
    await process.close()


class Process:
    """An engine with all its services, and the sockets it is reached by."""

    def __init__(self, config: Config, listening: socket) -> None:
        self._listening = listening
        self._port: int = listening.getsockname()[1]
        self._token = secrets.token_urlsafe(24)
        self.engine = Engine(
            replace(config, port=self._port),
            SERVICES,
            identity=IamIdentity,
            elsewhere=lambda engine: Emulator(config.emulator) if config.emulator else Moto(engine),
            connect=self._connect,
        )
        control = Control(self.engine, self._token)
        self._listeners = Listeners(Front(self.engine, {"_homeport": control, **self.engine.mounts()}))

    async def open(self) -> None:
        """Go on with the durable work, answer requests, and say where."""
        config = self.engine.config
        await self.engine.open()
        self._listeners.serve(self._listening)
        self._announce()
        if config.auth == "permissive":
            log.warning(
                "--auth permissive: unknown access keys act as the root user of account %s", config.account
            )
        log.info("homeport answers at http://%s:%d", config.host, self._port)

    async def close(self) -> None:
        """Release everything; containers and the load balancer go on."""
        await self._listeners.close()
        await self.engine.close()
        (self.engine.config.data / "engine.json").unlink(missing_ok=True)

    def _announce(self) -> None:
        """Write `engine.json`, by which commands and tests find the engine. It holds the root user's key: 0600."""
        config = self.engine.config
        key = root_key(self.engine.store)
        text = json.dumps(
            {
                "pid": os.getpid(),
                "url": f"http://{config.host}:{self._port}",
                "port": self._port,
                "account": config.account,
                "region": config.region,
                "auth": config.auth,
                "token": self._token,
                "access_key_id": key.access_key_id,
                "secret_access_key": key.secret,
            }
        )
        temporary = config.data / "engine.json.new"
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        temporary.replace(config.data / "engine.json")

    async def _connect(self, engine: Engine) -> ContainerAccess:
        """Make the engine's network and listen where containers look for it."""
        from homeport.engine.containers.network import METADATA_ADDRESS

        network = await engine.docker.networks.ensure()
        self._listeners.serve(bind(METADATA_ADDRESS, self._port))
        self._listeners.serve(bind(network.gateway, self._port))
        registry = f"{engine.account}.dkr.ecr.{engine.region}.amazonaws.com"
        self._listeners.serve(bind(network.gateway, 443), engine.authority.server_context(registry))
        return ContainerAccess(
            network=network.name,
            gateway=network.gateway,
            url=f"http://{network.gateway}:{self._port}",
            metadata_url=f"http://{METADATA_ADDRESS}:{self._port}",
            ca=engine.authority.certificate,
        )
