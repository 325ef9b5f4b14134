"""A container definition as the body of Docker's container create call.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

MEBIBYTE = 1024 * 1024
_SECOND = 10**9
_PASSED_ON = ("json-file", "syslog", "journald", "gelf", "fluentd", "splunk")
_UNCHECKED = {"Test": ["NONE"]}
"""ECS does not look at the health checks of images, but at those of task definitions alone."""


@dataclass(frozen=True)
class Surroundings:
    """What a container is put into: Docker's network mode (a network, or another container), the names that lead to
    it there, names for its hosts file, environment, labels, where the task's volumes are (`name` or `/path`), the
    containers of the task by name, the secret options of its log driver, and the machine's CPUs."""

    network: str
    names: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    siblings: dict[str, str] = field(default_factory=dict)
    log_secrets: dict[str, str] = field(default_factory=dict)
    pid: str = ""
    ipc: str = ""
    processors: int = 1


def docker_config(task: Body, container: Body, image: str, around: Surroundings) -> Body:
    """The create body. `task` is the task definition with the task's overrides applied, `container` one of its
    container definitions."""
    config: Body = {
        "Image": image,
        "Env": [f"{key}={value}" for key, value in around.environment.items()],
        "Labels": {**container.get("dockerLabels", {}), **around.labels},
        "Tty": container.get("pseudoTerminal", False),
        "OpenStdin": container.get("interactive", False),
        "StopTimeout": stop_timeout(container),
        "HostConfig": _host_config(task, container, around),
    }
    for member, key in (("entryPoint", "Entrypoint"), ("command", "Cmd")):
        if container.get(member):
            config[key] = container[member]
    for member, key in (("user", "User"), ("workingDirectory", "WorkingDir")):
        if container.get(member):
            config[key] = container[member]
    if container.get("hostname") and not around.network.startswith("container:"):
        config["Hostname"] = container["hostname"]
    config["Healthcheck"] = (
        _health_check(container["healthCheck"]) if "healthCheck" in container else _UNCHECKED
    )
    if container.get("disableNetworking"):
        config["NetworkDisabled"] = True
    if not around.network.startswith("container:"):
        config |= named(around.network, around.names, _links(container, around))
        ports = [f"{port['containerPort']}/{port['protocol']}" for port in container["portMappings"]]
        config["ExposedPorts"] = {port: {} for port in ports}
    return config


def named(network: str, names: list[str], links: list[str] | None = None) -> Body:
    """The part of a create body that has a network's DNS answer these names with the container's address, and the
    container reach others by names of its own (`links`)."""
    endpoint = {"Aliases": names} if names else {}
    endpoint |= {"Links": links} if links else {}
    return {"NetworkingConfig": {"EndpointsConfig": {network: endpoint}}} if endpoint else {}


def _links(container: Body, around: Surroundings) -> list[str]:
    """`name:alias` of containers of the task as Docker takes it."""
    parts = [link.partition(":") for link in container.get("links", [])]
    return [f"{around.siblings[name]}:{alias or name}" for name, _, alias in parts]


def _health_check(check: Body) -> Body:
    command = check["command"]
    return {
        "Test": command if command[0] in ("CMD", "CMD-SHELL", "NONE") else ["CMD", *command],
        "Interval": check["interval"] * _SECOND,
        "Timeout": check["timeout"] * _SECOND,
        "Retries": check["retries"],
        "StartPeriod": check.get("startPeriod", 0) * _SECOND,
    }


def stop_timeout(container: Body) -> int:
    """Seconds between SIGTERM and SIGKILL: 30 unless the definition says otherwise."""
    seconds: int = container.get("stopTimeout", 30)
    return seconds


def _host_config(task: Body, container: Body, around: Surroundings) -> Body:
    linux = container.get("linuxParameters", {})
    capabilities = linux.get("capabilities", {})
    host: Body = {
        "NetworkMode": around.network,
        "Privileged": container.get("privileged", False),
        "ReadonlyRootfs": container.get("readonlyRootfilesystem", False),
        "Init": linux.get("initProcessEnabled", False),
        "CapAdd": capabilities.get("add", []),
        "CapDrop": capabilities.get("drop", []),
        "Devices": [_device(device) for device in linux.get("devices", [])],
        "Tmpfs": {each["containerPath"]: _tmpfs(each) for each in linux.get("tmpfs", [])},
        "Ulimits": [_ulimit(each) for each in container.get("ulimits", [])],
        "Mounts": [_mount(task, each, around) for each in container["mountPoints"]],
        "VolumesFrom": [_volumes_from(each, around) for each in container["volumesFrom"]],
        "SecurityOpt": container.get("dockerSecurityOptions", []),
        "PidMode": around.pid,
        "IpcMode": around.ipc,
        **_limits(task, container, linux, around.processors),
    }
    if linux.get("sharedMemorySize"):
        host["ShmSize"] = linux["sharedMemorySize"] * MEBIBYTE
    if not around.network.startswith("container:"):
        extra = [f"{each['hostname']}:{each['ipAddress']}" for each in container.get("extraHosts", [])]
        host |= {
            "ExtraHosts": around.hosts + extra,
            "Dns": container.get("dnsServers", []),
            "DnsSearch": container.get("dnsSearchDomains", []),
            "Sysctls": {each["namespace"]: each["value"] for each in container.get("systemControls", [])},
        }
        if task["networkMode"] == "bridge":
            host["PortBindings"] = _published(container)
    logs = container.get("logConfiguration", {})
    if logs.get("logDriver") in _PASSED_ON:
        options = {**logs.get("options", {}), **around.log_secrets}
        host["LogConfig"] = {"Type": logs["logDriver"], "Config": options}
    return host


def _limits(task: Body, container: Body, linux: Body, processors: int) -> Body:
    """Docker limits containers, not tasks, so each container may use what the whole task may."""
    memory = container.get("memory") or (int(task["memory"]) if task.get("memory") else 0)
    limits: Body = {"CpuShares": container.get("cpu", 0)}
    if memory:
        swap = linux.get("maxSwap", 0)
        limits |= {"Memory": memory * MEBIBYTE, "MemorySwap": (memory + swap) * MEBIBYTE}
        if "maxSwap" in linux and "swappiness" in linux:
            limits["MemorySwappiness"] = linux["swappiness"]
    if container.get("memoryReservation"):
        limits["MemoryReservation"] = container["memoryReservation"] * MEBIBYTE
    if task.get("cpu"):
        limits["NanoCpus"] = min(int(task["cpu"]) * _SECOND // 1024, processors * _SECOND)
    return limits


def _device(device: Body) -> Body:
    path = device["hostPath"]
    rights = "".join(
        right[0] if right != "mknod" else "m"
        for right in device.get("permissions", ["read", "write", "mknod"])
    )
    return {
        "PathOnHost": path,
        "PathInContainer": device.get("containerPath", path),
        "CgroupPermissions": rights,
    }


def _tmpfs(tmpfs: Body) -> str:
    return ",".join([f"size={tmpfs['size']}m", *tmpfs.get("mountOptions", [])])


def _ulimit(ulimit: Body) -> Body:
    return {"Name": ulimit["name"], "Soft": ulimit["softLimit"], "Hard": ulimit["hardLimit"]}


def _mount(task: Body, mount: Body, around: Surroundings) -> Body:
    source = around.volumes[mount["sourceVolume"]]
    mounted = {"Source": source, "Target": mount["containerPath"], "ReadOnly": mount.get("readOnly", False)}
    if source.startswith("/"):
        return {**mounted, "Type": "bind", "BindOptions": {"CreateMountpoint": True}}
    volume = next(each for each in task["volumes"] if each["name"] == mount["sourceVolume"])
    settings = volume.get("dockerVolumeConfiguration", {})
    options: Body = {"Labels": settings.get("labels", {})}
    if settings.get("driver") or settings.get("driverOpts"):
        driver = {"Name": settings.get("driver", "local"), "Options": settings.get("driverOpts", {})}
        options["DriverConfig"] = driver
    return {**mounted, "Type": "volume", "VolumeOptions": options}


def _volumes_from(given: Body, around: Surroundings) -> str:
    return f"{around.siblings[given['sourceContainer']]}:{'ro' if given.get('readOnly') else 'rw'}"


def _published(container: Body) -> Body:
    return {
        f"{port['containerPort']}/{port['protocol']}": [
            {"HostIp": "127.0.0.1", "HostPort": str(port["hostPort"] or "")}
        ]
        for port in container["portMappings"]
    }
