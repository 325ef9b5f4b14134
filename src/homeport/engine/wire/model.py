"""The only file that knows botocore's service models: which service a request means, and its shapes.

`index.json` says which services exist by target prefix and by signing name, so that no model is loaded before it
is needed; `python -m homeport.engine.wire.model` writes it anew after an update of botocore. `unpublished/` adds, in
botocore's own form, operations that AWS's services call of each other and that no SDK has.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

_INDEX = Path(__file__).with_name("index.json")
_UNPUBLISHED = Path(__file__).with_name("unpublished")
_loader = Loader(extra_search_paths=[str(_UNPUBLISHED)])


class Candidate(NamedTuple):
    """A service that signs under some name."""

    service: str
    version: str
    protocol: str

    @property
    def is_rest(self) -> bool:
        return self.protocol.startswith("rest")


@cache
def load(service: str) -> ServiceModel:
    """The model of a service by boto3's name. Raises botocore's UnknownServiceError."""
    return ServiceModel(_loader.load_service_model(service, "service-2"), service)


@cache
def named_operations(service: str) -> dict[str, OperationModel]:
    """Operations by AWS's names."""
    model = load(service)
    return {name: model.operation_model(name) for name in model.operation_names}


@cache
def operations(service: str) -> dict[str, OperationModel]:
    """Operations by their boto3 method names."""
    return {xform_name(name): operation for name, operation in named_operations(service).items()}


@cache
def unpublished(service: str) -> frozenset[str]:
    """The boto3 method names of operations that no SDK has."""
    files = (_UNPUBLISHED / service).glob("*/service-2.sdk-extras.json")
    return frozenset(
        xform_name(name) for file in files for name in json.loads(file.read_text())["merge"]["operations"]
    )


@cache
def index() -> dict[str, Any]:
    """`{"targets": {prefix: [service]}, "signing": {name: [[service, version, protocol]]}}`."""
    return json.loads(_INDEX.read_text())


def by_target(prefix: str) -> list[str]:
    """Services whose `X-Amz-Target` starts with this prefix: botocore writes some with a namespace before them, the
    SDKs for Go, JavaScript, Java and others the last word alone."""
    return index()["targets"].get(prefix) or _short_targets().get(prefix, [])


@cache
def _short_targets() -> dict[str, list[str]]:
    return {prefix.rpartition(".")[2]: services for prefix, services in index()["targets"].items()}


@lru_cache(maxsize=1024)
def by_signing_name(name: str) -> tuple[Candidate, ...]:
    """Services whose requests are signed under this name."""
    return tuple(Candidate(*entry) for entry in index()["signing"].get(name, []))


def _build_index() -> dict[str, Any]:
    targets: dict[str, list[str]] = {}
    signing: dict[str, list[list[str]]] = {}
    for service in _loader.list_available_services("service-2"):
        metadata = load(service).metadata
        if prefix := metadata.get("targetPrefix"):
            targets.setdefault(prefix, []).append(service)
        name = metadata.get("signingName") or metadata["endpointPrefix"]
        signing.setdefault(name, []).append([service, metadata["apiVersion"], metadata["protocol"]])
    return {"targets": targets, "signing": signing}


if __name__ == "__main__":
    _INDEX.write_text(json.dumps(_build_index(), indent=0, sort_keys=True) + "\n")
