"""Reading YAML so that every complaint names the line, the key and the mend.

The messages are those of CodeBuild's own parser where they are known (`did not find expected ',' or ']' at line 19`,
`Expected Commands[2] to be of string type: found subkeys instead at line 40, …`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import yaml

T = TypeVar("T")
D = TypeVar("D")

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUE, _FALSE = ("yes", "true", "on", "y"), ("no", "false", "off", "n")
_FOUND = {"mapping": "subkeys", "sequence": "a list", "scalar": "a plain value"}


class YamlFileError(Exception):
    """A buildspec that cannot be used: the text of CodeBuild's YAML_FILE_ERROR."""


class Document(NamedTuple):
    """The text that is read, and what its author should know although it is no error."""

    text: str
    notices: list[str]


class Value:
    """A node of the document: what it holds, how to complain about it."""

    def __init__(self, name: str, node: yaml.Node, document: Document) -> None:
        self.name = name
        self.document = document
        self._node = node

    @property
    def line(self) -> int:
        """The line on which the value begins, counted from one."""
        return self._node.start_mark.line + 1

    @property
    def is_null(self) -> bool:
        return self._node.tag == "tag:yaml.org,2002:null"

    @property
    def kind(self) -> str:
        """`mapping`, `sequence` or `scalar`."""
        kinds: dict[type[yaml.Node], str] = {yaml.MappingNode: "mapping", yaml.SequenceNode: "sequence"}
        return kinds.get(type(self._node), "scalar")

    def error(self, message: str, mend: str = "") -> YamlFileError:
        """A complaint about this value."""
        hint = f". {mend}" if mend else ""
        return YamlFileError(f"{message} at line {self.line}{hint}")

    def text(self) -> str:
        """A string. Numbers and booleans are what the author typed; nothing is the empty string."""
        if not isinstance(self._node, yaml.ScalarNode):
            before = self.line - 1
            raise YamlFileError(
                f"Expected {self.name} to be of string type: found {_FOUND[self.kind]} instead at line {self.line}, "
                f"value of the key tag on line {before} might be empty. A text with ': ' in it needs quotes"
            )
        if self._node.style:
            return str(self._node.value)
        if "\\\n" in self.source:
            self.document.notices.append(
                f"{self.name} at line {self.line} continues a line by a backslash without a block scalar. It is read "
                "as the shell would read it; AWS joins the lines by a space, which the backslash then quotes. Begin "
                "the value with '|' to mean the same everywhere"
            )
            return _join_continued_lines(self.source)
        return "" if self.is_null else str(self._node.value)

    @property
    def source(self) -> str:
        """The characters of the document that make this value."""
        return self.document.text[self._node.start_mark.index : self._node.end_mark.index]

    def boolean(self) -> bool:
        """`yes` or `no`, `true` or `false`."""
        word = self.text().lower()
        if word not in _TRUE + _FALSE:
            raise self.error(f"Expected {self.name} to be yes or no: found {self.text()!r}")
        return word in _TRUE

    def choice(self, *words: str) -> str:
        """One of a few words."""
        word = self.text()
        if word not in words:
            raise self.error(f"Invalid value for {self.name}: {word!r}", f"Expecting: {', '.join(words)}")
        return word

    def list(self) -> list[Value]:
        """The items of a list; nothing is an empty one, and CodeBuild takes a plain value for a list of one."""
        if self.is_null:
            return []
        if self.kind == "scalar":
            return [self]
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error(
                f"Expected {self.name} to be a list: found {_FOUND[self.kind]} instead",
                "Put each item on a line of its own that begins with '- '",
            )
        return [
            Value(f"{self.name}[{index}]", item, self.document) for index, item in enumerate(self._node.value)
        ]

    def strings(self) -> tuple[str, ...]:
        """The strings of a list."""
        return tuple(item.text() for item in self.list())

    def mapping(self) -> Mapping:
        """The keys below this one; nothing is no key."""
        if self.is_null:
            return Mapping(self, {})
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error(
                f"Expected {self.name} to have subkeys: found {_FOUND[self.kind]} instead",
                "Indent its keys below it",
            )
        pairs: dict[str, Value] = {}
        for key, node in _merged(self._node):
            if not isinstance(key, yaml.ScalarNode):
                raise YamlFileError(f"Invalid map key at line {key.start_mark.line + 1}. A key is one word")
            name = str(key.value)
            if name in pairs:
                raise YamlFileError(
                    f"mapping key {name!r} at line {key.start_mark.line + 1} already defined at line "
                    f"{pairs[name].line}. Remove one of the two"
                )
            pairs[name] = Value(name, node, self.document)
        return Mapping(self, pairs)


class Mapping:
    """The keys of a mapping. What was not asked for by `take` is in `left`."""

    def __init__(self, value: Value, pairs: dict[str, Value]) -> None:
        self.value = value
        self.left = dict(pairs)

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        """All pairs that are left, which counts as asking for them."""
        while self.left:
            key = next(iter(self.left))
            yield key, self.left.pop(key)

    def take(self, key: str, read: Callable[[Value], T], default: D) -> T | D:
        """What `read` makes of the value of a key, or the default without that key."""
        value = self.left.pop(key, None)
        return default if value is None or (value.is_null and value.source == "") else read(value)

    def get(self, key: str) -> Value | None:
        """The value of a key, or None."""
        return self.left.pop(key, None)

    def require(self, key: str, mend: str) -> Value:
        """The value of a key that must be there."""
        value = self.left.pop(key, None)
        if value is None:
            raise self.value.error(f"{self.value.name} lacks the key {key}", mend)
        return value


def read(text: str, name: str) -> Value:
    """The document of a text; `name` is what it is called in complaints. Raises YamlFileError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlFileError(f"{error.problem} at line {mark.line + 1 if mark else 1}") from None
    except yaml.YAMLError as error:
        raise YamlFileError(f"{str(error).splitlines()[0]} at line 1. Save the file as UTF-8 text") from None
    except RecursionError:
        raise YamlFileError("the document is nested too deeply at line 1") from None
    finally:
        loader.dispose()
    if node is None:
        raise YamlFileError(f"The {name} is empty at line 1. It needs at least version and phases")
    return Value(name, node, Document(text, []))


def _merged(node: yaml.MappingNode, outer: tuple[yaml.Node, ...] = ()) -> list[tuple[yaml.Node, yaml.Node]]:
    """The pairs of a mapping with those that `<<` brings in, which its own keys overrule."""
    own = [(key, value) for key, value in node.value if key.tag != "tag:yaml.org,2002:merge"]
    names = {key.value for key, _ in own}
    merged: list[tuple[yaml.Node, yaml.Node]] = []
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(source, yaml.MappingNode) or source in (*outer, node):
                    raise YamlFileError(f"'<<' needs another mapping at line {value.start_mark.line + 1}")
                merged += [pair for pair in _merged(source, (*outer, node)) if pair[0].value not in names]
                names |= {pair[0].value for pair in merged}
    return merged + own


def _join_continued_lines(source: str) -> str:
    """A plain value whose lines are continued by backslashes. YAML folds each line break to a space, so that a
    backslash would quote that space; what the author means is that the shell continues the line."""
    joined = ""
    for line in (line.strip() for line in source.splitlines()):
        glue = "\n" if joined.endswith("\\") else " " if joined else ""
        joined += glue + line
    return joined
