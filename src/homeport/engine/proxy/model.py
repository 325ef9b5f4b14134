"""What the load balancer shall do, in Elastic Load Balancing's nouns and without Envoy's.

A caller builds one `Desired` for everything there is and hands it to `Proxy.apply`. Identifiers
(`TargetGroup.id`, `Listener.id`) become names of files and statistics: letters, digits, `-` and `_` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

_DASHES = str.maketrans(".:", "--")


@dataclass(frozen=True)
class Desired:
    """The whole state: every socket with its listeners, every target group that a rule uses."""

    sockets: tuple[Socket, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()


@dataclass(frozen=True)
class Socket:
    """A TCP port of this machine. Load balancers that share it are told apart by host name; the first
    listener also answers for names that none of them has."""

    port: int
    listeners: tuple[Listener, ...]
    address: str = "127.0.0.1"

    @property
    def name(self) -> str:
        """`port-80`, and `port-80-at-172-18-0-1` for another address than this machine's own."""
        elsewhere = "" if self.address == "127.0.0.1" else f"-at-{self.address.translate(_DASHES)}"
        return f"port-{self.port}{elsewhere}"


@dataclass(frozen=True)
class Listener:
    """A listener of one load balancer. `port` is the one it was created with: it may differ from the
    socket's when that one could not be bound."""

    id: str
    load_balancer: str
    port: int
    hosts: tuple[str, ...]
    rules: tuple[Rule, ...]  # in order of priority; the last one is the default rule
    certificates: tuple[Certificate, ...] = ()  # the first is the default one; none = plain HTTP
    idle_timeout: float = 60.0
    http2: bool = True
    forwarded_for: Literal["append", "preserve", "remove"] = "append"
    client_port: bool = False  # X-Forwarded-For tells the client's port, too
    tells_tls: bool = False  # in headers to the target
    drops_invalid_headers: bool = False
    response_headers: tuple[tuple[str, str], ...] = ()  # set on every answer
    access_log: bool = False


@dataclass(frozen=True)
class Certificate:
    chain_pem: str
    private_key_pem: str = field(repr=False)


@dataclass(frozen=True)
class Rule:
    id: str
    priority: str  # a number, or "default"
    action: Forward | Redirect | FixedResponse
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Condition:
    """One condition: any of its values satisfies it; a rule needs all of its conditions."""

    field: Literal[
        "host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"
    ]
    values: tuple[str, ...] = ()
    header: str = ""  # http-header: the header's name
    pairs: tuple[tuple[str, str], ...] = ()  # query-string: (key, value), an empty key means any key
    regular_expressions: bool = False  # values are regular expressions instead of wildcard patterns


@dataclass(frozen=True)
class Forward:
    targets: tuple[WeightedTargetGroup, ...]
    sticky_seconds: int | None = None  # the target group stickiness of the action (cookie AWSALBTG)


@dataclass(frozen=True)
class WeightedTargetGroup:
    target_group: str
    weight: int = 1


@dataclass(frozen=True)
class Redirect:
    """Each part may hold AWS's placeholders `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`."""

    status: Literal[301, 302]
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True)
class FixedResponse:
    status: int
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True)
class TargetGroup:
    id: str
    targets: tuple[Target, ...] = ()
    protocol: Literal["HTTP", "HTTPS"] = "HTTP"
    protocol_version: Literal["HTTP1", "HTTP2", "GRPC"] = "HTTP1"
    health_check: HealthCheck | None = None
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = "round_robin"
    slow_start: int = 0
    stickiness: Stickiness | None = None


@dataclass(frozen=True)
class Stickiness:
    seconds: int
    cookie: str = "AWSALB"


@dataclass(frozen=True)
class Target:
    address: str
    port: int
    draining: bool = False
    health_check_port: int | None = None


@dataclass(frozen=True)
class HealthCheck:
    protocol: Literal["HTTP", "HTTPS", "TCP"] = "HTTP"
    path: str = "/"
    matcher: str = "200"  # AWS's form: "200", "200,301", "200-299"
    interval: float = 30.0
    timeout: float = 5.0
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
