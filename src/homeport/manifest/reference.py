"""The reference of homeport.yml: `python -m homeport.manifest.reference` writes docs/manifest.md from the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from homeport.manifest.model import Manifest

FILE = Path(__file__).parents[3] / "docs" / "manifest.md"

_HEAD = """# homeport.yml

Generated from the model by `python -m homeport.manifest.reference`; do not edit it. The shortest manifest is one line:

```yaml
app: shop
```

Editors complete and check it with [homeport.schema.json](homeport.schema.json), which `homeport manifest -o json`
prints; `homeport manifest` prints the tables below. Paths begin at the repository's root.

**Several services in one repository** have a `homeport.yml` each, in their folders; each has its own pipeline, and each
is deployed by itself: `homeport deploy --file web/homeport.yml`. The first makes the repository, the others use it:

```yaml
app: api
source: {repository: shop, folder: api}
```

```yaml
app: web
source: {repository: shop, folder: web, existing: true}
```

A push starts all of their pipelines; with `source.provider: connection` those whose folder has changed. To share a
network too, name it by `network.vpc` and its subnets.

**Hours.** `cost: {schedule: {}}` lets tasks run from 7 to 20 o'clock UTC on weekdays and stops them otherwise;
`environments: [staging]` in it spares production. Hours hold from an environment's first release on, which runs at any
hour; until then its schedule is suspended. A later release out of hours waits for the morning.
"""


def reference() -> str:
    """The page."""
    return f"{_HEAD}\n{keys()}"


def keys() -> str:
    """The tables of all keys, in Markdown."""
    lines = ["| key | default | what it does |", "|---|---|---|"]
    for name, field in Manifest.model_fields.items():
        if _model(field.annotation) is None:
            lines.append(_row(field.alias or name, field))
    for name, field in Manifest.model_fields.items():
        if part := _model(field.annotation):
            lines += ["", *_section(f"{name}.<name>" if get_origin(field.annotation) is dict else name, part)]
    return "\n".join(lines) + "\n"


def _section(path: str, part: type[BaseModel]) -> Iterator[str]:
    yield f"## {path}"
    yield ""
    yield (part.__doc__ or "").strip()
    yield ""
    yield "| key | default | what it does |"
    yield "|---|---|---|"
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in part.model_fields.items():
        key = field.alias or name
        yield _row(key, field)
        if deeper := _model(field.annotation):
            named = get_origin(field.annotation) is dict
            inner.append((f"{path}.{key}.<name>" if named else f"{path}.{key}", deeper))
    for deeper_path, deeper in inner:
        yield ""
        yield from _section(deeper_path, deeper)


def _row(key: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field)
    words = _words(field.annotation)
    text = field.description or ""
    allowed = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    return (
        f"| `{key}` | {default} | {text}.{allowed} |"
        if text
        else f"| `{key}` | {default} | {allowed.strip()} |"
    )


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, dict) and value:
        return f"`{', '.join(value)}`"
    return f"`{json.dumps(value)}`" if value not in ({}, []) else ""


def _words(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [word for argument in get_args(annotation) for word in _words(argument)]


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model(argument))), None)


if __name__ == "__main__":
    FILE.write_text(reference())
