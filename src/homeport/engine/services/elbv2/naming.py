"""Names that the load balancer's data plane knows target groups and listeners by."""

from __future__ import annotations


def group_id(arn: str) -> str:
    """`…:targetgroup/my-targets/73e2d6bc24d8a067` → `my-targets-73e2d6bc24d8a067`."""
    return "-".join(arn.split("/")[1:])


def listener_id(arn: str) -> str:
    """`…:listener/app/my-app/50dc6c495c0c9188/f2f7dc8efc522ab2` → `my-app-f2f7dc8efc522ab2`."""
    parts = arn.split("/")
    return f"{parts[2]}-{parts[-1]}"


def dimension(arn: str) -> str:
    """What CloudWatch calls it: `app/my-app/50dc6c495c0c9188`, `targetgroup/my-targets/73e2d6bc24d8a067`."""
    resource = arn.split(":", 5)[-1]
    return resource.removeprefix("loadbalancer/")
