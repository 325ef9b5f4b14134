"""Target groups as Envoy clusters (CDS)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homeport.engine.proxy.model import HealthCheck, TargetGroup

_UNLIMITED = 1_000_000_000

# A target that closes an idle connection at the very moment a request is sent on it costs that request.
# Servers keep idle connections for two seconds (gunicorn) or more: Envoy gives them up earlier.
_UPSTREAM_IDLE = "1.5s"


def cluster(group: TargetGroup, endpoints_file: Path, health_log: Path) -> dict[str, Any]:
    """The cluster of a target group; its targets come from `endpoints_file`."""
    result: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": group.id,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"path_config_source": {"path": str(endpoints_file)}, "resource_api_version": "V3"}
        },
        "connect_timeout": "2s",
        # A target that is taken out goes at once, even when its health check still succeeds.
        "ignore_health_on_host_removal": True,
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _UNLIMITED,
                    "max_pending_requests": _UNLIMITED,
                    "max_requests": _UNLIMITED,
                    "max_retries": _UNLIMITED,
                }
            ]
        },
        "common_lb_config": {
            # 1 % means "none": then all targets get traffic, as with an Application Load Balancer.
            "healthy_panic_threshold": {"value": 1},
            "ignore_new_hosts_until_first_hc": True,
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": _protocol(group)
        },
        **_algorithm(group),
    }
    if group.protocol == "HTTPS":
        result["transport_socket"] = _tls(group)
    if group.health_check:
        result["health_checks"] = [_health_check(group, group.health_check, health_log)]
        if group.health_check.protocol in ("HTTP", "HTTPS") and group.health_check.protocol != group.protocol:
            socket = _RAW if group.protocol == "HTTPS" else _tls(group)
            result["transport_socket_matches"] = [
                {"name": "health-check", "match": _CHECKING, "transport_socket": socket}
            ]
            result["health_checks"][0]["transport_socket_match_criteria"] = _CHECKING
    return result


def _protocol(group: TargetGroup) -> dict[str, Any]:
    version = "http_protocol_options" if group.protocol_version == "HTTP1" else "http2_protocol_options"
    return {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": {"idle_timeout": _UPSTREAM_IDLE},
        "explicit_http_config": {version: {}},
    }


def _algorithm(group: TargetGroup) -> dict[str, Any]:
    slow = {"slow_start_config": {"slow_start_window": f"{group.slow_start}s"}} if group.slow_start else {}
    if group.algorithm == "least_outstanding_requests":
        return {"lb_policy": "LEAST_REQUEST", "least_request_lb_config": slow}
    if group.algorithm == "weighted_random":
        return {"lb_policy": "RANDOM"}
    return {"lb_policy": "ROUND_ROBIN", "round_robin_lb_config": slow}


_CHECKING = {"purpose": "health-check"}
_RAW = {
    "name": "envoy.transport_sockets.raw_buffer",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
    },
}


def _tls(group: TargetGroup) -> dict[str, Any]:
    """TLS to the target. As on AWS, its certificate is not verified."""
    alpn = ["http/1.1"] if group.protocol_version == "HTTP1" else ["h2"]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": {"alpn_protocols": alpn},
        },
    }


def _health_check(group: TargetGroup, check: HealthCheck, health_log: Path) -> dict[str, Any]:
    interval = f"{max(check.interval, 0.01):.3f}s"  # Envoy reads nine decimals at most
    result: dict[str, Any] = {
        "timeout": f"{check.timeout}s",
        "interval": interval,
        # Envoy would ask a group without traffic once a minute only.
        "no_traffic_interval": interval,
        "healthy_threshold": check.healthy_threshold,
        "unhealthy_threshold": check.unhealthy_threshold,
        "always_log_health_check_failures": True,
        "event_logger": [
            {
                "name": "envoy.health_check.event_sink.file",
                "typed_config": {
                    "@type": "type.googleapis.com/"
                    "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
                    "event_log_path": str(health_log),
                },
            }
        ],
    }
    if check.protocol == "TCP":
        result["tcp_health_check"] = {}
        return result
    grpc = group.protocol_version == "GRPC"
    expected = status_ranges("200" if grpc else check.matcher)
    result["http_health_check"] = {
        "path": check.path,
        "method": "POST" if grpc else "GET",
        "codec_client_type": "HTTP1" if group.protocol_version == "HTTP1" else "HTTP2",
        "expected_statuses": [{"start": start, "end": end} for start, end in expected],
        # Any other answer counts toward the threshold, instead of failing the target at once.
        "retriable_statuses": [{"start": start, "end": end} for start, end in _others(expected)],
        "request_headers_to_add": [_header("user-agent", "ELB-HealthChecker/2.0")],
        "request_headers_to_remove": ["x-envoy-expected-rq-timeout-ms"],
    }
    return result


def _header(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def status_ranges(matcher: str) -> list[tuple[int, int]]:
    """AWS's matcher ("200,301-303") as ranges with an exclusive end, in order and without overlap."""
    ranges = []
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        ranges.append((int(first), int(last or first) + 1))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _others(expected: list[tuple[int, int]]) -> list[tuple[int, int]]:
    gaps, start = [], 100
    for first, end in expected:
        if start < first:
            gaps.append((start, first))
        start = end
    return [*gaps, (start, 600)] if start < 600 else gaps
