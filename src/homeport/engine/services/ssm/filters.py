"""Parameter filters, as DescribeParameters and GetParametersByPath take them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_OPTIONS = {
    "Name": ("Equals", "BeginsWith", "Contains"),
    "Path": ("OneLevel", "Recursive"),
}
_KEYS = ("Name", "Path", "Type", "KeyId", "Label", "Tier", "DataType")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; a parameter must meet one of its values."""

    key: str
    option: str
    values: tuple[str, ...]

    def accepts(self, body: Body, labels: list[str]) -> bool:
        """Whether the parameter, with these labels on its versions, meets the condition."""
        if self.key == "Path":
            return any(is_below(body["Name"], path, self.option == "Recursive") for path in self.values)
        if self.key == "Label":
            return any(label in self.values for label in labels)
        if self.key.startswith("tag:"):
            tags = {tag["Key"]: tag["Value"] for tag in body["Tags"]}
            value = tags.get(self.key.removeprefix("tag:"))
            return value is not None and (not self.values or value in self.values)
        value = body.get(self.key)
        return isinstance(value, str) and any(self._compare(value, wanted) for wanted in self.values)

    def _compare(self, value: str, wanted: str) -> bool:
        if self.option == "BeginsWith":
            return value.startswith(wanted)
        if self.option == "Contains":
            return wanted in value
        return value == wanted


def filters(given: list[dict[str, Any]]) -> list[Filter]:
    """The filters of a request. Raises InvalidFilterKey, InvalidFilterOption, InvalidFilterValue."""
    found = []
    for each in given:
        key = each["Key"]
        if key not in _KEYS and not key.startswith("tag:"):
            raise AwsError("InvalidFilterKey", f"The specified key isn't valid: {key}.")
        option = each.get("Option") or ("OneLevel" if key == "Path" else "Equals")
        if option not in _OPTIONS.get(key, ("Equals", "BeginsWith")):
            raise AwsError(
                "InvalidFilterOption",
                f"The following filter option is not valid: {option}. Valid options include: "
                f"[{', '.join(_OPTIONS.get(key, ('Equals', 'BeginsWith')))}]",
            )
        values = tuple(each.get("Values") or ())
        if not values and not key.startswith("tag:"):
            raise AwsError(
                "InvalidFilterValue", "The following filter values are missing : null for filter key " + key
            )
        found.append(Filter(key, option, values))
    return found


def is_below(name: str, path: str, recursive: bool) -> bool:
    """Whether a parameter is in the hierarchy under a path, or with `recursive` deeper in it."""
    prefix = path.rstrip("/") + "/"
    full = name if name.startswith("/") else f"/{name}"
    return full.startswith(prefix) and (recursive or "/" not in full[len(prefix) :])
