"""What Envoy writes about requests: every failed one, and all of them where access logs are switched on.

Both files hold one JSON object a line. `errors.log` tells who caused a 5xx: the target (`details` is
`via_upstream`) or the load balancer (`flags` says why).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_FORMAT = {
    "time": "%START_TIME(%s.%6f)%",
    "load_balancer": "%METADATA(ROUTE:homeport:load_balancer)%",
    "listener": "%METADATA(ROUTE:homeport:listener)%",
    "priority": "%METADATA(ROUTE:homeport:priority)%",
    "rule": "%ROUTE_NAME%",
    "target_group": "%UPSTREAM_CLUSTER_RAW%",
    "target": "%UPSTREAM_HOST%",
    "client": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "method": "%REQ(:METHOD)%",
    "scheme": "%REQ(:SCHEME)%",
    "host": "%REQ(:AUTHORITY)%",
    "path": "%REQ(:PATH)%",
    "protocol": "%PROTOCOL%",
    "user_agent": "%REQ(USER-AGENT)%",
    "trace_id": "%REQ(X-AMZN-TRACE-ID)%",
    "location": "%RESP(LOCATION)%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "request_duration": "%REQUEST_DURATION%",
    "response_duration": "%RESPONSE_DURATION%",
    "tls_version": "%DOWNSTREAM_TLS_VERSION%",
    "tls_cipher": "%DOWNSTREAM_TLS_CIPHER%",
    "server_name": "%REQUESTED_SERVER_NAME%",
}

_FAILED = {
    "status_code_filter": {
        "comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "homeport.logged_status"}}
    }
}


def access_logs(folder: Path, everything: bool) -> list[dict[str, Any]]:
    """The access log configuration of a connection manager."""
    logs = [{**_file(folder / "errors.log"), "filter": _FAILED}]
    return [*logs, _file(folder / "access.log")] if everything else logs


def _file(path: Path) -> dict[str, Any]:
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(path),
            "log_format": {"json_format": _FORMAT},
        },
    }
