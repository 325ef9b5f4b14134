"""The targets of a target group as an EDS resource."""

from __future__ import annotations

from typing import Any

from homeport.engine.proxy.model import Target, TargetGroup


def endpoints(group: TargetGroup) -> dict[str, Any]:
    """The ClusterLoadAssignment of a target group.

    A draining target gets no new request, and the requests that it has go on.
    """
    return {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": group.id,
        "endpoints": [{"lb_endpoints": [_endpoint(target) for target in group.targets]}],
    }


def _endpoint(target: Target) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "address": {"socket_address": {"address": target.address, "port_value": target.port}}
    }
    if target.health_check_port:
        endpoint["health_check_config"] = {"port_value": target.health_check_port}
    return {"endpoint": endpoint, "health_status": "DRAINING" if target.draining else "UNKNOWN"}
