"""AWS's public parameters: the ids of machine images under /aws/service, as templates look them up.

The data is the collection that moto's package ships.
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.store.table import Body

_PREFIXES = ("/aws/service/ami-amazon-linux-latest/", "/aws/service/ecs/optimized-ami/")


def public_parameter(ctx: Context, name: str) -> Body | None:
    """The public parameter of this name in the region, None when there is none."""
    if not name.startswith(_PREFIXES):
        return None
    value = _load(ctx.region).get(name)
    return _shown(ctx, name, value) if value is not None else None


def public_parameters(ctx: Context) -> list[Body]:
    """All public parameters of the region that homeport knows."""
    return [_shown(ctx, name, value) for name, value in sorted(_load(ctx.region).items())]


def _shown(ctx: Context, name: str, value: str) -> Body:
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": 0.0,
        "ARN": f"arn:aws:ssm:{ctx.region}::parameter{name}",
        "DataType": "text",
    }


@cache
def _load(region: str) -> dict[str, str]:
    found: dict[str, str] = {}
    spec = importlib.util.find_spec("moto")
    for location in (spec and spec.submodule_search_locations) or ():
        resources = Path(location) / "ssm" / "resources"
        images = resources / "ami-amazon-linux-latest" / f"{region}.json.gz"
        for each in _read(images) or []:
            found[each["Name"]] = each["Value"]
        optimized = resources / "ecs" / "optimized_amis" / f"{region}.json.gz"
        _flatten(_read(optimized) or {}, "", found)
    return found


def _read(file: Path) -> Any:
    return json.loads(gzip.decompress(file.read_bytes())) if file.is_file() else None


def _flatten(tree: Any, path: str, found: dict[str, str]) -> None:
    for name, value in tree.items():
        if name == "Value":
            found[path] = value if isinstance(value, str) else json.dumps(value)
        else:
            _flatten(value, f"{path}/{name}", found)
