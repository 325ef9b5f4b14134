"""The container of an execution environment: what it is made from, what it is given.

/var/task      the function's code
/var/runtime   the runtime's interface client, and boto3
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from __future__ import annotations

import asyncio
import io
import tarfile
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.engine import ContainerAccess
from homeport.engine.services.lambda_ import packages, runtimes
from homeport.engine.services.lambda_.images import provide
from homeport.engine.services.lambda_.log_stream import LogStream
from homeport.engine.services.lambda_.tables import Row
from homeport.engine.services.trust import ca_bundle

TASK_ROOT = "/var/task"
HOST_SUFFIX = ".lambda.internal"
"""The runtime API's host name inside a container is `<id of the environment>.lambda.internal`: by it the engine knows
who asks."""
_USER = "993:990"
_BUNDLE = f"{runtimes.RUNTIME_FOLDER}/ca-bundle.pem"
_MIB = 1024**2


async def create(ctx: Context, version: Row, name: str, id: str, log: LogStream) -> None:
    """Make the container of an environment, not started yet. Raises DockerRefused, DockerUnavailable."""
    docker = ctx.engine.docker
    access = await ctx.engine.container_access()
    config = await _config(ctx, version, id, log, access)
    await docker.ensure(
        name, config, {"homeport.service": "lambda", "homeport.function": version["FunctionName"]}
    )
    await docker.copy_in(name, "/", await asyncio.to_thread(_files, ctx, version))


async def _config(
    ctx: Context, version: Row, id: str, log: LogStream, access: ContainerAccess
) -> dict[str, Any]:
    configuration = version["configuration"]
    memory = configuration["MemorySize"] * _MIB
    environment = _environment(ctx, version, id, log, access)
    return {
        **await _program(ctx, version),
        "User": _USER,
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "HostConfig": {
            "NetworkMode": access.network,
            "ExtraHosts": [f"{host}:{access.gateway}" for host in _hosts(ctx, id)],
            "Memory": memory,
            "MemorySwap": memory,
            "PidsLimit": 1024,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
        },
    }


def _hosts(ctx: Context, id: str) -> list[str]:
    """Names that lead to the engine: its runtime API, its registry, and what answers custom resources."""
    response = f"cloudformation-custom-resource-response-{ctx.region.replace('-', '')}.s3.amazonaws.com"
    return [f"{id}{HOST_SUFFIX}", f"{ctx.account}.dkr.ecr.{ctx.region}.amazonaws.com", response]


async def _program(ctx: Context, version: Row) -> dict[str, Any]:
    """The image and what runs in it."""
    configuration, image = version["configuration"], await provide(ctx, version)
    if runtime := configuration.get("Runtime"):
        found = runtimes.RUNTIMES[runtime]
        command = [found.program, f"{runtimes.RUNTIME_FOLDER}/{found.bootstrap}"]
        # one stream, so that what is written to stdout and stderr keeps its order
        shell = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', *command]
        return {"Image": image, "Entrypoint": shell, "Cmd": [], "WorkingDir": TASK_ROOT}
    own = ((await ctx.engine.docker.images.inspect(image)) or {}).get("Config", {})
    wanted = configuration.get("ImageConfigResponse", {}).get("ImageConfig", {})
    return {
        "Image": image,
        "Entrypoint": wanted.get("EntryPoint") or own.get("Entrypoint") or [],
        "Cmd": wanted.get("Command") or own.get("Cmd") or [],
        "WorkingDir": wanted.get("WorkingDirectory") or own.get("WorkingDir") or TASK_ROOT,
    }


def _environment(
    ctx: Context, version: Row, id: str, log: LogStream, access: ContainerAccess
) -> dict[str, str]:
    configuration = version["configuration"]
    credentials = _credentials(ctx, configuration)
    port = access.url.rpartition(":")[2]
    environment = {
        **configuration.get("Environment", {}).get("Variables", {}),
        "AWS_REGION": ctx.region,
        "AWS_DEFAULT_REGION": ctx.region,
        **access.variables,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["Token"],
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": configuration["Version"],
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log.group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log.name,
        "AWS_LAMBDA_RUNTIME_API": f"{id}{HOST_SUFFIX}:{port}",
        "SSL_CERT_FILE": _BUNDLE,
        "NODE_EXTRA_CA_CERTS": _BUNDLE,
        "LAMBDA_TASK_ROOT": TASK_ROOT,
        "LAMBDA_RUNTIME_DIR": runtimes.RUNTIME_FOLDER,
        "TZ": ":UTC",
    }
    if runtime := configuration.get("Runtime"):
        environment |= {
            "_HANDLER": configuration["Handler"],
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
            "PYTHONPATH": runtimes.RUNTIME_FOLDER,
            "PYTHONUNBUFFERED": "1",
            "NODE_PATH": f"/opt/nodejs/node_modules:{runtimes.RUNTIME_FOLDER}/node_modules",
        }
    return environment


def _credentials(ctx: Context, configuration: Row) -> dict[str, str]:
    """A session of the function's role, named like the function. Raises AccessDenied."""
    return ctx.engine.identity.role_credentials(
        configuration["Role"], "lambda.amazonaws.com", configuration["FunctionName"]
    )


def _files(ctx: Context, version: Row) -> bytes:
    """Certificates, and what a managed runtime runs, as one tar archive."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        _add(tar, _BUNDLE, ca_bundle(ctx.engine))
        if runtime := version["configuration"].get("Runtime"):
            program = f"{runtimes.RUNTIME_FOLDER}/{runtimes.RUNTIMES[runtime].bootstrap}"
            _add(tar, program, runtimes.bootstrap(runtime))
            packages.unpack(packages.path(ctx.engine, version["code"]["package"]), TASK_ROOT[1:], tar)
    return written.getvalue()


def _add(tar: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path[1:])
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
