"""What tests read: the tables of docs/security.md, and the policies of a template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"


def table(heading: str) -> list[tuple[str, list[str], str]]:
    """The rows of the table under a heading of docs/security.md: the first cell, what the second has in code font,
    and the last."""
    section = SECURITY.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 2, f"docs/security.md has no table under {heading!r}"
    return [(cells[0].strip("`"), re.findall("`([^`]+)`", cells[1]), cells[-1]) for cells in rows[2:]]


def statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement of each role, with the role's logical id."""
    for name, body in template["Resources"].items():
        if body["Type"] == "AWS::IAM::Role":
            for policy in body["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement


def grants(template: dict[str, Any]) -> Counter[tuple[str, str]]:
    """How often each role is granted each action."""
    return Counter((role, action) for role, each in statements(template) for action in each["Action"])
