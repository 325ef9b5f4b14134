"""Several lines as one log event: the options `awslogs-multiline-pattern` and `awslogs-datetime-format`.

A message is a line that the pattern is found in, and all that follow until the next such line.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
https://docs.docker.com/engine/logging/drivers/awslogs/#awslogs-multiline-pattern
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence

from homeport.engine.containers.logs import Line


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_FIELDS = {
    "a": _any(calendar.day_abbr),
    "A": _any(calendar.day_name),
    "b": _any(calendar.month_abbr[1:]),
    "B": _any(calendar.month_name[1:]),
    "d": "(?:0[1-9]|[12][0-9]|3[01])",
    "f": "[0-9]{6}",
    "H": "(?:[01][0-9]|2[0-3])",
    "I": "(?:0[0-9]|1[0-2])",
    "j": "[0-3][0-9]{2}",
    "L": r"\.[0-9]{3}",
    "m": "(?:0[1-9]|1[0-2])",
    "M": "[0-5][0-9]",
    "p": "[AP]M",
    "S": "[0-5][0-9]",
    "w": "[0-6]",
    "y": "[0-9]{2}",
    "Y": "[0-9]{4}",
    "z": "[+-][0-9]{4}",
    "Z": "[A-Z]{1,4}T",
    "%": "%",
}


def pattern(options: Mapping[str, str]) -> str | None:
    """The regular expression that begins a message; None when each line is one. Raises ValueError."""
    format, given = options.get("awslogs-datetime-format"), options.get("awslogs-multiline-pattern")
    if format and given:
        raise ValueError(
            "you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time"
        )
    expression = _of_format(format) if format else given
    if expression:
        try:
            re.compile(expression)
        except re.error as error:
            raise ValueError(
                f"awslogs could not parse multiline pattern key {expression!r}: {error}"
            ) from None
    return expression or None


def _of_format(format: str) -> str:
    """A regular expression already, but for the fields of strftime in it."""
    return re.sub("%(.)", lambda found: _FIELDS.get(found[1], found[0]), format)


def messages(lines: Sequence[Line], pattern: str | None) -> list[list[Line]]:
    """The lines of each message. The first one may go on from lines that came before."""
    if pattern is None:
        return [[line] for line in lines]
    begins = re.compile(pattern)
    found: list[list[Line]] = []
    for line in lines:
        if found and not begins.search(line.text):
            found[-1].append(line)
        else:
            found.append([line])
    return found
