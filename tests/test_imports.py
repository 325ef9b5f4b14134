"""What starting takes: a library that only some work needs is imported by that work."""

import subprocess
import sys

_HEAVY = (
    "aiohttp",
    "aiodocker",
    "boto3",
    "cfnlint",
    "flask",
    "jinja2",
    "jsonschema",
    "moto",
    "pydantic",
    "samtranslator",
)


def test_the_engine_starts_without_what_only_some_work_needs() -> None:
    program = f"import sys, homeport.engine.main; print(*(name for name in {_HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
