"""Which operation of which service a request means."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel

from homeport.engine.wire import model
from homeport.engine.wire.codecs import Protocol, Wire
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request

_VIRTUAL_HOST = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3[.-][a-z0-9.-]*$|^(?P<local>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.localhost$"
)


_ACCOUNT = "x-amz-account-id"
_RPC = re.compile(r"/service/([\w.]+)/operation/(\w+)", re.ASCII)


class Route(NamedTuple):
    """A service by boto3's name, the operation when the model knows it, and how the request talks."""

    service: str
    operation: OperationModel | None
    name: str
    wire: Wire


def by_target(request: Request) -> Route | None:
    """JSON protocols: `X-Amz-Target: Prefix.Operation`; CBOR: `/service/Prefix/operation/Operation`."""
    target = request.headers.get("x-amz-target")
    protocol: Protocol = "json-1.0" if "json-1.0" in request.headers.get("content-type", "") else "json-1.1"
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        found = _RPC.fullmatch(request.raw_path)
        target, protocol = ".".join(found.groups()) if found else "", "cbor"
    if target is None:
        return None
    prefix, _, name = target.rpartition(".")
    for service in model.by_target(prefix):
        return Route(service, model.named_operations(service).get(name), name, Wire(protocol, {}))
    raise AwsError("UnknownOperationException", f"No service has the target {target[:128]!r}.", 404)


def by_action(signing_name: str, request: Request, body: bytes) -> Route | None:
    """Query protocols: `Action` and `Version` in the query string or the form body."""
    pairs = dict(request.query)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        pairs |= dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10_000))
    name, version = pairs.get("Action"), pairs.get("Version")
    if name is None:
        return None
    candidates = [entry for entry in model.by_signing_name(signing_name) if not entry.is_rest]
    # what names no version that there is means the newest
    candidates = [entry for entry in candidates if entry.version == version] or sorted(
        candidates, key=lambda entry: entry.version, reverse=True
    )
    for candidate in candidates:
        if operation := model.named_operations(candidate.service).get(name):
            return Route(candidate.service, operation, name, Wire("query", {}))
    if candidates:
        return Route(candidates[0].service, None, name, Wire("query", {}))
    raise AwsError(
        "InvalidAction", f"No service that signs as {signing_name!r} has the action {name[:128]!r}.", 400
    )


def by_path(signing_name: str, request: Request) -> Route | None:
    """REST protocols: the method, the path and the literal query parameters, the most specific first."""
    signers = model.by_signing_name(signing_name)
    candidates = [entry for entry in signers if entry.is_rest]
    if not candidates:
        return None
    path = request.raw_path
    if signing_name == "s3":
        # S3 Control signs as S3 does, and its paths could be those of objects
        control = _ACCOUNT in request.headers
        candidates = [entry for entry in candidates if (entry.service == "s3control") is control]
        path = path if control else s3_path(request)
    names = dict(request.query)
    for candidate in candidates:
        for pattern in _patterns(candidate.service).get(request.method, ()):
            labels = pattern.match(request, names, path)
            if labels is not None:
                protocol: Protocol = "rest-json" if candidate.protocol == "rest-json" else "rest-xml"
                return Route(
                    candidate.service, pattern.operation, pattern.operation.name, Wire(protocol, labels)
                )
    if all(entry.is_rest for entry in signers):
        protocol = "rest-json" if candidates[0].protocol == "rest-json" else "rest-xml"
        return Route(candidates[0].service, None, f"{request.method} {path}", Wire(protocol, {}))
    return None


def s3_path(request: Request) -> str:
    """The path with the bucket in it, also for requests that name the bucket in the host."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    found = _VIRTUAL_HOST.match(host)
    bucket = (found["bucket"] or found["local"]) if found else None
    if not bucket or bucket == "s3" or bucket.startswith("s3."):
        return request.raw_path
    return f"/{bucket}{request.raw_path}"


class _Pattern:
    """The URI template of one operation."""

    def __init__(self, operation: OperationModel) -> None:
        uri, _, query = operation.http["requestUri"].partition("?")
        self.operation = operation
        self.method = operation.http["method"]
        self.literals = [tuple(item.partition("=")[::2]) for item in query.split("&") if item]
        self.required = _required(operation, "querystring")
        self.headers = [name.lower() for name in _required(operation, "header")]
        expression = ""
        for part in re.split(r"(\{[^}]+\})", uri.rstrip("/") if uri != "/" else uri):
            if part.startswith("{"):
                greedy = part.endswith("+}")
                name = re.sub(r"\W", "_", part.strip("{+}"))
                expression += f"(?P<{name}>.+)" if greedy else f"(?P<{name}>[^/]+)"
            else:
                expression += re.escape(part)
        self.labels = {re.sub(r"\W", "_", label): label for label in re.findall(r"\{([^}+]+)\+?\}", uri)}
        self.regex = re.compile(expression + "/?$", re.DOTALL)
        greedy_last = uri.endswith("+}")
        specific = len(self.literals) + len(self.required) + len(self.headers)
        self.rank = (operation.deprecated, -specific, greedy_last, -uri.count("/"), len(self.labels))

    def match(self, request: Request, names: dict[str, str], path: str) -> dict[str, str] | None:
        """What the labels hold, if the request (`names` are its query parameters) means this operation."""
        for name, value in self.literals:
            if name not in names or (value and names[name] != value):
                return None
        if any(name not in names for name in self.required):
            return None
        if any(name not in request.headers for name in self.headers):
            return None
        found = self.regex.match(path)
        if found is None:
            return None
        return {self.labels[name]: unquote(value) for name, value in found.groupdict().items()}


def _required(operation: OperationModel, location: str) -> list[str]:
    """Required members in the query or the headers tell operations on one path apart: UploadPart and CopyObject
    from PutObject."""
    shape = operation.input_shape
    members = [shape.members[name] for name in shape.required_members] if shape else []
    return [
        member.serialization["name"] for member in members if member.serialization.get("location") == location
    ]


@cache
def _patterns(service: str) -> dict[str, list[_Pattern]]:
    """By HTTP method, the most specific first."""
    known = model.load(service)
    patterns = [_Pattern(known.operation_model(name)) for name in known.operation_names]
    found: dict[str, list[_Pattern]] = {}
    for pattern in sorted(patterns, key=lambda pattern: pattern.rank):
        found.setdefault(pattern.method, []).append(pattern)
    return found
