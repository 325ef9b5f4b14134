"""Lambda's rows.

A function's row holds what all its versions share: tags, resource policies, reserved concurrency. A version's row
(`$LATEST` is one) holds its configuration under `configuration`, as AWS shows it, and what runs under `code`:
`package` (the SHA-256 of a zip archive, in hex) or `image` (Docker's reference), and `generation`, which is another
whenever containers of the version must not be used any more.
"""

from __future__ import annotations

from homeport.engine.store.table import Body, Table

Row = Body

LATEST = "$LATEST"

FUNCTIONS = Table("lambda_functions", key=("FunctionName",))
VERSIONS = Table("lambda_versions", key=("FunctionName", "Version"))
ALIASES = Table("lambda_aliases", key=("FunctionName", "Name"))
EVENT_CONFIGS = Table("lambda_event_configs", key=("FunctionName", "Qualifier"))
