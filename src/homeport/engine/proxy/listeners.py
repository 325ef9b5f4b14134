"""Sockets as Envoy listeners (LDS): filter chains, TLS, HTTP options.

Plain HTTP listeners of one socket share a filter chain whose routes tell them apart, so that adding a load
balancer does not touch the connections of the others. HTTPS listeners have a chain each, chosen by SNI.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homeport.engine.proxy import script
from homeport.engine.proxy.conditions import SOURCE_ADDRESS_KEY
from homeport.engine.proxy.logs import access_logs
from homeport.engine.proxy.model import Listener, Socket, TargetGroup
from homeport.engine.proxy.routes import route_configuration

_HTTP = "envoy.extensions.filters.network.http_connection_manager.v3"
_TYPE = "type.googleapis.com/"


def listener(socket: Socket, folder: Path) -> dict[str, Any]:
    """The Envoy listener of a socket; its routes come from the files `routes_file` names."""
    plain = tuple(each for each in socket.listeners if not each.certificates)
    secure = [each for each in socket.listeners if each.certificates]
    chains = []
    if plain:
        chain = _chain(route_name(socket, None), plain, socket, folder)
        chains.append(
            {**chain, "filter_chain_match": {"transport_protocol": "raw_buffer"}} if secure else chain
        )
    for position, each in enumerate(secure):
        chains += _secure_chains(each, position == 0, socket, folder)
    result: dict[str, Any] = {
        "@type": _TYPE + "envoy.config.listener.v3.Listener",
        "name": socket.name,
        "address": {"socket_address": {"address": socket.address, "port_value": socket.port}},
        "filter_chains": chains,
        "tcp_backlog_size": 4096,
        "enable_reuse_port": False,  # else the Envoys of two engines could share a port, and its requests
    }
    if secure:
        result["listener_filters"] = [_TLS_INSPECTOR]
        # A client that connects ahead of its first request must not be thrown out.
        result["listener_filters_timeout"] = "0s" if not plain else "15s"
    return result


def route_name(socket: Socket, secure: Listener | None) -> str:
    return f"{socket.name}-{secure.id}" if secure else socket.name


def routes_file(folder: Path, name: str) -> Path:
    return folder / "routes" / f"{name}.json"


def route_configurations(socket: Socket, groups: dict[str, TargetGroup]) -> list[dict[str, Any]]:
    """Every route configuration that `listener` refers to."""
    plain = tuple(each for each in socket.listeners if not each.certificates)
    found = [route_configuration(route_name(socket, None), plain, groups)] if plain else []
    secure = [each for each in socket.listeners if each.certificates]
    return found + [route_configuration(route_name(socket, each), (each,), groups) for each in secure]


def _secure_chains(each: Listener, default: bool, socket: Socket, folder: Path) -> list[dict[str, Any]]:
    chain = _chain(route_name(socket, each), (each,), socket, folder)
    chain["transport_socket"] = _tls(each)
    named = {"transport_protocol": "tls", "server_names": sorted({host.lower() for host in each.hosts})}
    chains = [{**chain, "name": f"{each.id}-named", "filter_chain_match": named}] if each.hosts else []
    if default:
        chains.append({**chain, "name": each.id, "filter_chain_match": {"transport_protocol": "tls"}})
    return chains


def _chain(name: str, listeners: tuple[Listener, ...], socket: Socket, folder: Path) -> dict[str, Any]:
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": _connection_manager(name, listeners, folder),
    }
    return {"name": name, "filters": [_SOURCE_ADDRESS, manager]}


def _connection_manager(name: str, listeners: tuple[Listener, ...], folder: Path) -> dict[str, Any]:
    return {
        "@type": f"{_TYPE}{_HTTP}.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "AUTO" if any(each.http2 for each in listeners) else "HTTP1",
        "rds": {
            "route_config_name": name,
            "config_source": {
                "path_config_source": {"path": str(routes_file(folder, name))},
                "resource_api_version": "V3",
            },
        },
        "http_filters": [script.FILTER, _STATEFUL_SESSION, _ROUTER],
        "access_log": access_logs(folder, everything=any(each.access_log for each in listeners)),
        "local_reply_config": {"mappers": [_reply(*each) for each in _REPLIES]},
        "common_http_protocol_options": {
            "idle_timeout": f"{max(each.idle_timeout for each in listeners)}s",
        },
        "http_protocol_options": {"accept_http_10": True},
        "stream_idle_timeout": f"{max(each.idle_timeout for each in listeners)}s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "use_remote_address": True,
        "skip_xff_append": True,  # routes append: Envoy would replace a loopback address
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": False,
    }


def _tls(each: Listener) -> dict[str, Any]:
    certificates = [
        {
            "certificate_chain": {"inline_string": certificate.chain_pem},
            "private_key": {"inline_string": certificate.private_key_pem},
        }
        for certificate in each.certificates
    ]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"] if each.http2 else ["http/1.1"],
                "tls_certificates": certificates,
            },
        },
    }


def _filter(name: str, kind: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": _TYPE + kind, **settings}}


_TLS_INSPECTOR = _filter(
    "envoy.filters.listener.tls_inspector",
    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
)
_STATEFUL_SESSION = _filter(
    "envoy.filters.http.stateful_session",
    "envoy.extensions.filters.http.stateful_session.v3.StatefulSession",
) | {"disabled": True}  # routes to target groups with stickiness enable it: others need not pay for it
_ROUTER = _filter(
    "envoy.filters.http.router",
    "envoy.extensions.filters.http.router.v3.Router",
    suppress_envoy_headers=True,
)
# Source IP conditions look at the peer of the connection, not at what X-Forwarded-For claims.
_SOURCE_ADDRESS = _filter(
    "envoy.filters.network.set_filter_state",
    "envoy.extensions.filters.network.set_filter_state.v3.Config",
    on_new_connection=[
        {
            "object_key": SOURCE_ADDRESS_KEY,
            "factory_key": "envoy.network.ip",
            "format_string": {
                "text_format_source": {"inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}
            },
        }
    ],
)

# What Envoy answers by itself, as an Application Load Balancer would: (Envoy's flags, status, title).
_REPLIES = (
    (["UF", "UC", "UR", "LR", "UPE"], 502, "502 Bad Gateway"),
    (["UH", "UO", "NC"], 503, "503 Service Temporarily Unavailable"),
    (["UT", "SI"], 504, "504 Gateway Time-out"),
)


def _reply(flags: list[str], status: int, title: str) -> dict[str, Any]:
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return {
        "filter": {"response_flag_filter": {"flags": flags}},
        "status_code": status,
        "headers_to_add": [
            {
                "header": {"key": "server", "value": "awselb/2.0"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
        "body_format_override": {
            "text_format_source": {"inline_string": body},
            "content_type": "text/html",
        },
    }
