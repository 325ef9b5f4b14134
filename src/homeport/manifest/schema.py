"""The JSON Schema of homeport.yml, for editors. `python -m homeport.manifest.schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from homeport.manifest.model import Manifest

FILE = Path(__file__).parents[3] / "docs" / "homeport.schema.json"


def schema() -> str:
    """The schema's text."""
    body = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Manifest.model_json_schema(by_alias=True),
    }
    return json.dumps(body, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema())
