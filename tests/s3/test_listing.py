"""Whatever the keys, prefix, delimiter and page size: the pages of a listing are those of a plain list."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import homeport.engine.services.s3 as package
from homeport.engine.services.s3 import listing
from homeport.engine.store.database import Store

texts = st.text(alphabet="ab/é😀-", max_size=5)


def given_keys(keys: set[str]) -> Any:
    store = Store(":memory:")
    store.migrate([("s3", Path(package.__file__).parent / "migrations")])
    for key in keys:
        store.execute(
            "INSERT INTO s3_versions (bucket, key, version, current, marker, size, modified, etag, body) "
            "VALUES ('b', ?, 'null', 1, 0, 0, 0, '', '{\"segments\": []}')",
            key,
        )
    return SimpleNamespace(store=store)


def pages(ctx: Any, prefix: str, delimiter: str, size: int) -> list[list[str]]:
    """Keys and common prefixes, page by page."""
    found, after = [], ""
    while True:
        request = {"Bucket": "b", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": size}
        page = listing._list(ctx, request, after, listing._objects)
        merged = [version.key for version in page.versions] + page.prefixes
        found.append(sorted(merged, key=str.encode))
        if not page.truncated:
            return found
        after = page.last[0]


def expected(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    shown = set()
    for key in keys:
        if key.startswith(prefix):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            shown.add(key[: at + len(delimiter)] if at >= 0 else key)
    return sorted(shown, key=str.encode)


@given(st.sets(texts.filter(bool)), texts, st.sampled_from(["", "/", "a", "b/"]), st.integers(1, 4))
def test_pages_are_those_of_a_plain_list(keys: set[str], prefix: str, delimiter: str, size: int) -> None:
    ctx = given_keys(keys)
    found = pages(ctx, prefix, delimiter, size)
    ctx.store.close()
    assert [entry for page in found for entry in page] == expected(keys, prefix, delimiter)
    assert all(len(page) == size for page in found[:-1])
